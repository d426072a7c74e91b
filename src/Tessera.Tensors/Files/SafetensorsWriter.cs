using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Tessera.Tensors.Files;

/// <summary>
/// Writes safetensors files with the same bytes as the safetensors library: wider types first, then by name, the header
/// padded with spaces to eight bytes.
/// </summary>
public static unsafe class SafetensorsWriter
{
    private const int LengthBytes = 8;
    private const int BufferBytes = 1 << 20;

    // Names that are no text are refused, so that two of them can't become one.
    private static readonly UTF8Encoding _strict = new(false, throwOnInvalidBytes: true);

    /// <summary>Writes a file whole or not at all.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tensors">The tensors, in any order.</param>
    /// <param name="metadata">The file's own notes; none where null.</param>
    /// <exception cref="ArgumentException">Two tensors have one name, or a value can't become its type.</exception>
    /// <exception cref="IOException">The disk is full or fails; the file that was there before is intact.</exception>
    /// <exception cref="UnauthorizedAccessException">There is no permission to write in the folder.</exception>
    public static void Write(
        string path,
        IEnumerable<StoredTensor> tensors,
        IReadOnlyDictionary<string, string>? metadata = null)
    {
        StoredTensor[] sorted = Sort(tensors);
        byte[] header = Header(sorted, metadata);
        long bytes = header.Length + sorted.Sum(tensor => tensor.Bytes);
        AtomicFile.Write(path, stream => Write(stream, header, sorted), bytes);
    }

    /// <summary>Writes to a stream.</summary>
    /// <exception cref="ArgumentException">Two tensors have one name, or a value can't become its type.</exception>
    public static void Write(
        Stream stream,
        IEnumerable<StoredTensor> tensors,
        IReadOnlyDictionary<string, string>? metadata = null)
    {
        StoredTensor[] sorted = Sort(tensors);
        Write(stream, Header(sorted, metadata), sorted);
    }

    private static void Write(Stream stream, byte[] header, StoredTensor[] tensors)
    {
        stream.Write(header);
        byte[] buffer = new byte[BufferBytes];
        foreach (StoredTensor tensor in tensors)
        {
            WriteValues(stream, tensor, buffer);
        }
    }

    private static void WriteValues(Stream stream, StoredTensor tensor, byte[] buffer)
    {
        byte* source = (byte*)tensor.Value.Data;
        int most = buffer.Length / sizeof(double);
        for (long done = 0; done < tensor.Value.Shape.Count; done += most)
        {
            int count = (int)Math.Min(most, tensor.Value.Shape.Count - done);
            fixed (byte* chunk = buffer)
            {
                byte* from = source + (done * tensor.Value.DType.Size());
                Conversion.Copy(from, tensor.Value.DType, chunk, tensor.Type, count);
            }

            stream.Write(buffer, 0, count * tensor.Type.Size());
        }
    }

    private static StoredTensor[] Sort(IEnumerable<StoredTensor> tensors)
    {
        // The library sorts by its own list of types, which this is the part of that we hold, and names by their bytes.
        ReadOnlySpan<DType> order = [DType.I64, DType.F64, DType.F32, DType.I32, DType.BF16, DType.F16, DType.U8];
        int[] ranks = new int[order.Length];
        for (int i = 0; i < order.Length; i++)
        {
            ranks[(int)order[i]] = i;
        }

        StoredTensor[] sorted = [.. tensors];
        byte[][] names = Array.ConvertAll(sorted, tensor => _strict.GetBytes(tensor.Name));
        int[] places = [.. Enumerable.Range(0, sorted.Length)];
        Array.Sort(places, (left, right) =>
        {
            int byType = ranks[(int)sorted[left].Type].CompareTo(ranks[(int)sorted[right].Type]);
            return byType != 0 ? byType : names[left].AsSpan().SequenceCompareTo(names[right]);
        });
        Check(sorted);
        return Array.ConvertAll(places, place => sorted[place]);
    }

    private static void Check(StoredTensor[] tensors)
    {
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (StoredTensor tensor in tensors)
        {
            if (!names.Add(tensor.Name) || tensor.Name == "__metadata__")
            {
                throw new ArgumentException(
                    $"SafetensorsWriter: {HostileText.Quote(tensor.Name)} is given twice or is the format's own name");
            }

            if (tensor.Type != tensor.Value.DType && !(tensor.Type.IsFloat() && tensor.Value.DType.IsFloat()))
            {
                throw new ArgumentException(
                    $"SafetensorsWriter: {HostileText.Quote(tensor.Name)}: {tensor.Value} can't become {tensor.Type}");
            }
        }
    }

    private static byte[] Header(StoredTensor[] tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        StringBuilder json = new("{");
        if (metadata is not null)
        {
            IEnumerable<string> notes = metadata.OrderBy(note => note.Key, StringComparer.Ordinal)
                .Select(note => $"{Quote(note.Key)}:{Quote(note.Value)}");
            json.Append("\"__metadata__\":{").AppendJoin(',', notes).Append('}');
        }

        long begin = 0;
        foreach (StoredTensor tensor in tensors)
        {
            Shape shape = tensor.Value.Shape;
            json.Append(json.Length > 1 ? "," : "").Append(Quote(tensor.Name))
                .Append($":{{\"dtype\":\"{tensor.Type}\",\"shape\":[{shape.ToString()[1..^1]}],")
                .Append($"\"data_offsets\":[{begin},{begin + tensor.Bytes}]}}");
            begin += tensor.Bytes;
        }

        byte[] text = _strict.GetBytes(json.Append('}').ToString());
        byte[] header = new byte[LengthBytes + ((text.Length + 7) / 8 * 8)];
        BinaryPrimitives.WriteInt64LittleEndian(header, header.Length - LengthBytes);
        header.AsSpan(LengthBytes).Fill((byte)' ');
        text.CopyTo(header, LengthBytes);
        return header;
    }

    private static string Quote(string text)
    {
        StringBuilder quoted = new("\"");
        foreach (char c in text)
        {
            _ = c switch
            {
                '"' or '\\' => quoted.Append('\\').Append(c),
                '\b' => quoted.Append("\\b"),
                '\t' => quoted.Append("\\t"),
                '\n' => quoted.Append("\\n"),
                '\f' => quoted.Append("\\f"),
                '\r' => quoted.Append("\\r"),
                < ' ' => quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => quoted.Append(c),
            };
        }

        return quoted.Append('"').ToString();
    }
}
