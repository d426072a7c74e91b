using System.Diagnostics.CodeAnalysis;
using System.Numerics;

namespace Tessera.Tensors.Files;

/// <summary>
/// Reads a GGUF file, versions 2 and 3 (ggml's <c>gguf.md</c>): its tensors lie over the mapped file. Nothing that the
/// file claims is believed before it is checked against the file's length.
/// </summary>
public sealed unsafe class GgufFile : IDisposable
{
    private const uint Magic = 0x4655_4747;
    private const int DefaultAlignment = 32;
    private const int LargestAlignment = 1 << 20;
    private const string AlignmentKey = "general.alignment";

    // A key and the smallest value; a tensor's name, one dimension, type and place.
    private const int LeastBytesPerValue = 8 + 4 + 1;
    private const int LeastBytesPerTensor = 8 + 4 + 8 + 4 + 8;

    private readonly MappedFile _file;
    private readonly Dictionary<string, Tensor> _tensors = new(StringComparer.Ordinal);

    private GgufFile(MappedFile file)
    {
        _file = file;
        GgufReader reader = new(file);
        ReadVersion(reader);
        int tensors = (int)reader.Count("tensor count", Math.Min(int.MaxValue, reader.Left / LeastBytesPerTensor));
        int values = (int)reader.Count("metadata count", Math.Min(int.MaxValue, reader.Left / LeastBytesPerValue));
        Metadata = new GgufMetadata(file, reader, values);
        int alignment = Metadata.OptionalInt(AlignmentKey, 1, LargestAlignment) ?? DefaultAlignment;
        if (!BitOperations.IsPow2(alignment))
        {
            throw reader.Wrong(AlignmentKey, $"is {alignment}; a power of two is wanted");
        }

        List<Entry> entries = [];
        for (int i = 0; i < tensors; i++)
        {
            entries.Add(ReadEntry(reader, i, alignment));
        }

        AddTensors(reader, entries, (reader.Position + alignment - 1) / alignment * alignment);
        Names = entries.ConvertAll(entry => entry.Name);
    }

    /// <summary>Gets the path that the file was opened with.</summary>
    public string Path => _file.Path;

    /// <summary>Gets what the file states about its model.</summary>
    public GgufMetadata Metadata { get; }

    /// <summary>Gets the names of the tensors, in the file's order.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>
    /// Gets a tensor over the mapped memory: read-only, and usable until this file is disposed. Its shape has the
    /// slowest-moving dimension first, the other way round than in the file.
    /// </summary>
    /// <exception cref="KeyNotFoundException">The file has no tensor of that name.</exception>
    public Tensor this[string name] => _tensors.TryGetValue(name, out Tensor? tensor)
        ? tensor
        : throw new KeyNotFoundException($"{Path}: has no tensor {HostileText.Quote(name)} among its {Names.Count}");

    /// <summary>Opens a file and checks its whole header against itself and against the file's length.</summary>
    /// <exception cref="InvalidDataException">
    /// The file is broken; the message names tensor or key, and value.
    /// </exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read, or is a folder.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static GgufFile Open(string path)
    {
        MappedFile file = MappedFile.Open(path);
        try
        {
            return new GgufFile(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Gets a tensor over the mapped memory, where the file has one of that name.</summary>
    public bool TryGet(string name, [NotNullWhen(true)] out Tensor? tensor) => _tensors.TryGetValue(name, out tensor);

    /// <summary>Ends the mapping: the file's tensors can't be used any more, and say so.</summary>
    public void Dispose()
    {
        foreach (Tensor tensor in _tensors.Values)
        {
            tensor.Forget();
        }

        _file.Dispose();
    }

    private static void ReadVersion(GgufReader reader)
    {
        if (reader.Left < 8 || reader.U32("magic") != Magic)
        {
            throw reader.Wrong("the first bytes", "are not \"GGUF\": it is no GGUF file");
        }

        uint version = reader.U32("version");
        if (version is not (2 or 3))
        {
            throw reader.Wrong("version", (version & 0xFFFF) == 0
                ? "is written with its bytes the other way round (big-endian), which is not read"
                : $"is {version}; 2 and 3 are read");
        }
    }

    private static Entry ReadEntry(GgufReader reader, int index, int alignment)
    {
        string name = reader.Text($"tensor {index}: name", GgufReader.LongestName);
        string field = $"tensor {HostileText.Quote(name)}:";
        uint rank = reader.U32($"{field} rank");
        if (rank > Shape.MaximumRank)
        {
            throw reader.Wrong($"{field} rank", $"is {rank}; at most {Shape.MaximumRank} dimensions are read");
        }

        Span<int> sizes = stackalloc int[(int)rank];
        long count = 1;
        for (int i = 0; i < rank; i++)
        {
            long most = Math.Min(int.MaxValue, Shape.MaximumCount / Math.Max(count, 1));
            long size = reader.Count($"{field} dimension {i}", most);
            sizes[^(i + 1)] = (int)size;
            count *= size;
        }

        uint number = reader.U32($"{field} type");
        DType type = GgmlTypes.Find(number)
            ?? throw reader.Wrong($"{field} type", $"is {number}; read are {GgmlTypes.Known}");
        long offset = reader.Count($"{field} offset", long.MaxValue);
        int row = rank == 0 ? 1 : sizes[^1];
        if (offset % alignment != 0)
        {
            throw reader.Wrong($"{field} offset", $"is {offset}, no multiple of {alignment}");
        }

        return row % type.BlockLength() == 0
            ? new Entry(name, new Shape(sizes), type, offset)
            : throw reader.Wrong($"{field} dimension 0", $"is {row}, no multiple of {type}'s {type.BlockLength()}");
    }

    private void AddTensors(GgufReader reader, List<Entry> entries, long start)
    {
        long end = 0;
        foreach (Entry entry in entries.OrderBy(entry => entry.Offset).ThenBy(entry => entry.Bytes))
        {
            string field = $"tensor {HostileText.Quote(entry.Name)}:";
            if (entry.Offset > _file.Length - start - entry.Bytes)
            {
                throw reader.Wrong(
                    $"{field} offset",
                    $"{entry.Offset:N0}: its {entry.Bytes:N0} bytes from {start:N0} on are not inside the file's "
                    + $"{_file.Length:N0}");
            }

            if (entry.Offset < end)
            {
                throw reader.Wrong($"{field} offset", $"is {entry.Offset:N0}, inside the tensor before it");
            }

            end = entry.Offset + entry.Bytes;
            byte* data = _file.Data + start + entry.Offset;
            if (!_tensors.TryAdd(entry.Name, Tensor.Over(data, entry.Shape, entry.Type, _file)))
            {
                throw reader.Wrong(field, "is there twice");
            }
        }
    }

    private readonly record struct Entry(string Name, Shape Shape, DType Type, long Offset)
    {
        public long Bytes => Type.Bytes(Shape.Count);
    }
}
