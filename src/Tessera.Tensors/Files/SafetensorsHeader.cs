using System.Text.Json;

namespace Tessera.Tensors.Files;

/// <summary>
/// Reads the header of a safetensors file: eight bytes with the length of a JSON object, then the object, which gives
/// each tensor's type, shape and place in the bytes that follow. Nothing that it claims is believed before it is
/// checked.
/// </summary>
internal ref struct SafetensorsHeader
{
    /// <summary>The largest header: the format's own limit.</summary>
    public const long MaximumBytes = 100_000_000;

    private const string MetadataName = "__metadata__";

    // The object, a tensor's object and its arrays are three levels; more is not a header.
    private const int MaximumDepth = 4;

    private readonly string _path;
    private readonly long _dataBytes;
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private Utf8JsonReader _json;
    private string? _tensor;

    private SafetensorsHeader(string path, ReadOnlySpan<byte> json, long dataBytes)
    {
        _path = path;
        _dataBytes = dataBytes;
        _json = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaximumDepth });
    }

    /// <summary>Gets the tensors in the order of their places.</summary>
    public List<SafetensorsEntry> Entries { get; } = [];

    /// <summary>Gets the file's own notes.</summary>
    public Dictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    /// <summary>Reads and checks a header.</summary>
    /// <param name="path">The file's name for errors.</param>
    /// <param name="json">The JSON object.</param>
    /// <param name="dataBytes">The number of bytes that follow the header in the file.</param>
    /// <exception cref="InvalidDataException">
    /// The header is broken, or contradicts itself or the file's length.
    /// </exception>
    public static SafetensorsHeader Read(string path, ReadOnlySpan<byte> json, long dataBytes)
    {
        SafetensorsHeader header = new(path, json, dataBytes);
        try
        {
            header.ReadTensors();
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // The reader answers wrong JSON with the first, and text that is not UTF-8 with the second.
            throw new InvalidDataException($"{path}: header: not valid JSON: {broken.Message}", broken);
        }

        header.CheckPlaces();
        return header;
    }

    private void ReadTensors()
    {
        Next();
        Require(JsonTokenType.StartObject, "", "an object");
        while (Next() == JsonTokenType.PropertyName)
        {
            string name = _json.GetString()!;
            if (!_names.Add(name))
            {
                throw Wrong($"tensor {Quote(name)}", "is named twice");
            }

            Next();
            if (name == MetadataName)
            {
                ReadMetadata();
            }
            else
            {
                Entries.Add(ReadTensor(name));
            }
        }

        // Whatever is no white space after the object makes the reader throw.
        _json.Read();
    }

    private void ReadMetadata()
    {
        _tensor = MetadataName;
        Require(JsonTokenType.StartObject, "", "an object");
        while (Next() == JsonTokenType.PropertyName)
        {
            string key = _json.GetString()!;
            Next();
            Require(JsonTokenType.String, key, "a string");
            if (!Metadata.TryAdd(key, _json.GetString()!))
            {
                throw Wrong(Field(key), "is named twice");
            }
        }
    }

    private SafetensorsEntry ReadTensor(string name)
    {
        _tensor = name;
        Require(JsonTokenType.StartObject, "", "an object with dtype, shape and data_offsets");
        (DType? type, Shape? shape, (long Begin, long End)? place) = (null, null, null);
        while (Next() == JsonTokenType.PropertyName)
        {
            bool repeated;
            if (_json.ValueTextEquals("dtype"u8))
            {
                (repeated, type) = (type is not null, ReadType());
            }
            else if (_json.ValueTextEquals("shape"u8))
            {
                (repeated, shape) = (shape is not null, ReadShape());
            }
            else if (_json.ValueTextEquals("data_offsets"u8))
            {
                (repeated, place) = (place is not null, ReadPlace());
            }
            else
            {
                string field = Quote(_json.GetString()!);
                throw Wrong(Field(""), $"has a field {field}; dtype, shape and data_offsets are known");
            }

            if (repeated)
            {
                throw Wrong(Field(""), "gives a field twice");
            }
        }

        string? absent = type is null ? "dtype" : shape is null ? "shape" : place is null ? "data_offsets" : null;
        if (absent is not null)
        {
            throw Wrong(Field(""), $"gives no {absent}");
        }

        (long begin, long end) = place!.Value;
        long wanted = shape!.Value.Count * type!.Value.Size();
        return end - begin == wanted
            ? new SafetensorsEntry(name, type.Value, shape.Value, begin, end)
            : throw Wrong(
                Field("data_offsets"), $"[{begin},{end}] are {end - begin} bytes; {type} {shape} is {wanted}");
    }

    private DType ReadType()
    {
        Next();
        Require(JsonTokenType.String, "dtype", "a string");
        string name = _json.GetString()!;
        return name switch
        {
            "F64" => DType.F64,
            "F32" => DType.F32,
            "F16" => DType.F16,
            "BF16" => DType.BF16,
            "I64" => DType.I64,
            "I32" => DType.I32,
            "U8" => DType.U8,
            _ => throw Wrong(Field("dtype"), $"is {Quote(name)}; F64, F32, F16, BF16, I64, I32 and U8 are read"),
        };
    }

    private Shape ReadShape()
    {
        Next();
        Require(JsonTokenType.StartArray, "shape", "an array");
        Span<int> sizes = stackalloc int[Shape.MaximumRank];
        int rank = 0;
        long count = 1;
        while (Next() != JsonTokenType.EndArray)
        {
            long size = ReadCount("shape", rank);
            if (rank == sizes.Length)
            {
                throw Wrong(Field("shape"), $"has more than {Shape.MaximumRank} dimensions");
            }

            // The limits of the shape type itself, said with the file's name.
            if (size > int.MaxValue || count > Shape.MaximumCount / Math.Max(size, 1))
            {
                throw Wrong(Field($"shape[{rank}]"), $"is {size}, which is too large");
            }

            count *= size;
            sizes[rank++] = (int)size;
        }

        return new Shape(sizes[..rank]);
    }

    private (long Begin, long End) ReadPlace()
    {
        Next();
        Require(JsonTokenType.StartArray, "data_offsets", "an array");
        Next();
        long begin = ReadCount("data_offsets", 0);
        Next();
        long end = ReadCount("data_offsets", 1);
        if (Next() != JsonTokenType.EndArray)
        {
            throw Wrong(Field("data_offsets"), "has more than two numbers");
        }

        return begin <= end && end <= _dataBytes ? (begin, end) : throw Wrong(
            Field("data_offsets"), $"[{begin},{end}] are not inside the {_dataBytes} bytes of data");
    }

    private readonly long ReadCount(string field, int index)
    {
        if (_json.TokenType == JsonTokenType.Number && _json.TryGetInt64(out long value) && value >= 0)
        {
            return value;
        }

        Require(JsonTokenType.Number, $"{field}[{index}]", "a number");
        throw Wrong(Field($"{field}[{index}]"), "is no whole number from 0 to 2^63 - 1");
    }

    /// <summary>Checks that the tensors fill the bytes after the header without gap or overlap.</summary>
    private readonly void CheckPlaces()
    {
        Entries.Sort((left, right) => left.Begin != right.Begin
            ? left.Begin.CompareTo(right.Begin)
            : left.End.CompareTo(right.End));
        long end = 0;
        foreach (SafetensorsEntry entry in Entries)
        {
            if (entry.Begin != end)
            {
                string fault = entry.Begin < end ? "overlaps the tensor before it" : "leaves a gap";
                throw Wrong(
                    $"tensor {Quote(entry.Name)}: data_offsets",
                    $"[{entry.Begin},{entry.End}] {fault}, which ends at {end}");
            }

            end = entry.End;
        }

        if (end != _dataBytes)
        {
            throw Wrong("header", $"its tensors take {end} bytes, the file has {_dataBytes} after the header");
        }
    }

    private JsonTokenType Next() => _json.Read()
        ? _json.TokenType
        : throw new InvalidDataException($"{_path}: header: the JSON ends early");

    // Words are put together only for an error: a header may have a hundred thousand tensors.
    private readonly void Require(JsonTokenType type, string field, string wanted)
    {
        if (_json.TokenType != type)
        {
            throw Wrong(Field(field), $"is {Name(_json.TokenType)}, {wanted} is wanted");
        }
    }

    private readonly string Field(string field)
    {
        string owner = _tensor is null ? "header" : _tensor == MetadataName ? _tensor : $"tensor {Quote(_tensor)}";
        return field.Length == 0 ? owner : _tensor == MetadataName ? $"{owner}: {Quote(field)}" : $"{owner}: {field}";
    }

    private readonly InvalidDataException Wrong(string what, string fault) => new($"{_path}: {what} {fault}");

    private static string Name(JsonTokenType type) => type switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => "a string",
        JsonTokenType.Number => "a number",
        JsonTokenType.True or JsonTokenType.False => "a truth value",
        JsonTokenType.Null => "null",
        _ => "absent",
    };

    private static string Quote(string text) => HostileText.Quote(text);
}
