using System.Text;
using System.Text.Json;
using Tessera.Tensors.Files;

namespace Tessera.Models.Tokenizers;

/// <summary>
/// Reads one value of a JSON file from outside. What is wrong is said with the file, the field's path and the value.
/// Values are slices of the file's bytes: nothing is allocated because a file claims to hold it.
/// </summary>
internal sealed class JsonSlice(string file, string path, ReadOnlyMemory<byte> json)
{
    // HostileText shows fewer characters than that and cuts the rest.
    private const int MostBytesShown = 512;

    /// <summary>Gets the value's bytes as the file has them.</summary>
    public ReadOnlyMemory<byte> Json => json;

    /// <summary>Gets whether the value is null.</summary>
    public bool IsNull => json.Span.SequenceEqual("null"u8);

    /// <summary>Makes an error that names file, field and value.</summary>
    public InvalidDataException Error(string wanted)
    {
        string value = Encoding.UTF8.GetString(json.Span[..Math.Min(json.Length, MostBytesShown)]);
        return new($"{file}: {path}: {HostileText.Plain(value)}, wanted {wanted}");
    }

    /// <summary>Makes an error of a part of the value.</summary>
    public InvalidDataException ErrorAt(string part, string problem) => new($"{file}: {path}{part}: {problem}");

    /// <summary>
    /// Reads an object's fields; a name that comes twice, or one that isn't among the known ones, is an error.
    /// </summary>
    public Dictionary<string, JsonSlice> Fields(params ReadOnlySpan<string> known)
    {
        Dictionary<string, JsonSlice> fields = [];
        Utf8JsonReader reader = Reader(JsonTokenType.StartObject, "an object");
        while (Read(ref reader) && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = StringAt(ref reader, "");
            string shown = HostileText.Plain(name);
            JsonSlice value = Value(ref reader, path.Length == 0 ? shown : $"{path}.{shown}");
            if (!known.Contains(name))
            {
                throw value.Error($"no such field: known are {string.Join(", ", known)}");
            }

            if (!fields.TryAdd(name, value))
            {
                throw value.Error("each field once");
            }
        }

        End(ref reader);
        return fields;
    }

    /// <summary>Reads an array's elements, at most <paramref name="most"/>.</summary>
    public List<JsonSlice> Elements(int most)
    {
        List<JsonSlice> elements = [];
        Utf8JsonReader reader = Reader(JsonTokenType.StartArray, "an array");
        while (Read(ref reader) && reader.TokenType != JsonTokenType.EndArray)
        {
            if (elements.Count == most)
            {
                throw Error($"at most {most} elements");
            }

            elements.Add(ValueHere(ref reader, $"{path}[{elements.Count}]"));
        }

        End(ref reader);
        return elements;
    }

    /// <summary>Returns a reader that stands on the value's first token, which must be of a kind.</summary>
    public Utf8JsonReader Reader(JsonTokenType kind, string wanted)
    {
        Utf8JsonReader reader = new(json.Span);
        return Read(ref reader) && reader.TokenType == kind ? reader : throw Error(wanted);
    }

    /// <summary>Advances a reader; broken JSON is an error that names the file and the field.</summary>
    public bool Read(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.Read();
        }
        catch (JsonException broken)
        {
            throw new InvalidDataException($"{file}: {(path.Length == 0 ? "JSON" : path)}: {broken.Message}", broken);
        }
    }

    /// <summary>Returns the string that a reader stands on; broken escapes and broken UTF-8 are errors.</summary>
    public string StringAt(ref Utf8JsonReader reader, string part)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException broken)
        {
            throw new InvalidDataException($"{file}: {path}{part}: {broken.Message}", broken);
        }
    }

    /// <summary>Reads a string.</summary>
    public string Text()
    {
        Utf8JsonReader reader = Reader(JsonTokenType.String, "a string");
        return StringAt(ref reader, "");
    }

    /// <summary>Reads true or false.</summary>
    public bool Flag()
    {
        bool value = json.Span.SequenceEqual("true"u8);
        return value || json.Span.SequenceEqual("false"u8) ? value : throw Error("true or false");
    }

    /// <summary>Reads a whole number from 0 up to a bound, which is not included.</summary>
    public int Number(int bound)
    {
        Utf8JsonReader reader = Reader(JsonTokenType.Number, $"a whole number from 0 to {bound - 1}");
        return reader.TryGetInt32(out int value) && value >= 0 && value < bound
            ? value
            : throw Error($"a whole number from 0 to {bound - 1}");
    }

    /// <summary>Returns the value as JSON without white space.</summary>
    public string Compact()
    {
        try
        {
            return JsonText.Compact(json.Span);
        }
        catch (InvalidOperationException broken)
        {
            throw new InvalidDataException($"{file}: {path}: {broken.Message}", broken);
        }
    }

    private JsonSlice Value(ref Utf8JsonReader reader, string at)
    {
        Read(ref reader);
        return ValueHere(ref reader, at);
    }

    private JsonSlice ValueHere(ref Utf8JsonReader reader, string at)
    {
        int start = (int)reader.TokenStartIndex;
        try
        {
            reader.Skip();
        }
        catch (JsonException broken)
        {
            throw new InvalidDataException($"{file}: {at}: {broken.Message}", broken);
        }

        return new JsonSlice(file, at, json[start..(int)reader.BytesConsumed]);
    }

    private void End(ref Utf8JsonReader reader)
    {
        if (Read(ref reader))
        {
            throw Error("nothing after the value");
        }
    }
}
