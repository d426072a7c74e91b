using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace Tessera.Tensors.Files;

/// <summary>
/// Reads a GGUF file's numbers and texts one after another. Every length is checked against the file before anything is
/// made of it; errors name the file and the field.
/// </summary>
internal sealed class GgufReader(MappedFile file)
{
    /// <summary>The most bytes of a name or key: the format's own limit.</summary>
    public const int LongestName = 65_535;

    /// <summary>Gets or sets the place of the next byte.</summary>
    public long Position { get; set; }

    /// <summary>Gets how many bytes are left.</summary>
    public long Left => file.Length - Position;

    /// <summary>Returns the size of a number in bytes, or null where the kind is no number or not known.</summary>
    public static int? Size(GgufKind kind) => kind switch
    {
        GgufKind.U8 or GgufKind.I8 or GgufKind.Bool => 1,
        GgufKind.U16 or GgufKind.I16 => 2,
        GgufKind.U32 or GgufKind.I32 or GgufKind.F32 => 4,
        GgufKind.U64 or GgufKind.I64 or GgufKind.F64 => 8,
        _ => null,
    };

    /// <summary>Makes an error that names the file and the field.</summary>
    public InvalidDataException Wrong(string field, string problem) => new($"{file.Path}: {field} {problem}");

    /// <summary>Reads bytes in place.</summary>
    public ReadOnlySpan<byte> Bytes(string field, long count)
    {
        if (count > Left || count > int.MaxValue)
        {
            throw Wrong(field, $"takes {count:N0} bytes at {Position:N0}, and the file has {file.Length:N0}");
        }

        ReadOnlySpan<byte> bytes = file.Bytes(Position, (int)count);
        Position += count;
        return bytes;
    }

    /// <summary>Reads 32 bits.</summary>
    public uint U32(string field) => BinaryPrimitives.ReadUInt32LittleEndian(Bytes(field, sizeof(uint)));

    /// <summary>Reads a count or length of 64 bits, at most <paramref name="most"/>.</summary>
    public long Count(string field, long most)
    {
        ulong count = BinaryPrimitives.ReadUInt64LittleEndian(Bytes(field, sizeof(ulong)));
        return count <= (ulong)most ? (long)count : throw Wrong(field, $"is {count:N0}; at most {most:N0} is possible");
    }

    /// <summary>Reads a text of at most <paramref name="most"/> bytes; one that is not UTF-8 is an error.</summary>
    public string Text(string field, int most = int.MaxValue)
    {
        ReadOnlySpan<byte> bytes = TextBytes(field, most);
        return Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : throw Wrong(field, "is not UTF-8");
    }

    /// <summary>Reads a text's bytes in place.</summary>
    public ReadOnlySpan<byte> TextBytes(string field, int most = int.MaxValue)
    {
        long length = Count(field, Math.Min(most, Math.Max(0, Left - sizeof(ulong))));
        return Bytes(field, length);
    }

    /// <summary>Reads a number; integers come as <see cref="long"/>, over its range as an error.</summary>
    public object Number(string field, GgufKind kind)
    {
        ReadOnlySpan<byte> bytes = Bytes(field, Size(kind)!.Value);
        return kind switch
        {
            GgufKind.U8 => (long)bytes[0],
            GgufKind.I8 => (long)(sbyte)bytes[0],
            GgufKind.Bool => bytes[0] <= 1 ? bytes[0] != 0 : throw Wrong(field, $"is {bytes[0]}, wanted 0 or 1"),
            GgufKind.U16 => (long)BinaryPrimitives.ReadUInt16LittleEndian(bytes),
            GgufKind.I16 => (long)BinaryPrimitives.ReadInt16LittleEndian(bytes),
            GgufKind.U32 => (long)BinaryPrimitives.ReadUInt32LittleEndian(bytes),
            GgufKind.I32 => (long)BinaryPrimitives.ReadInt32LittleEndian(bytes),
            GgufKind.I64 => BinaryPrimitives.ReadInt64LittleEndian(bytes),
            GgufKind.F32 => (double)BinaryPrimitives.ReadSingleLittleEndian(bytes),
            GgufKind.F64 => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
            _ => Signed(field, BinaryPrimitives.ReadUInt64LittleEndian(bytes)),
        };
    }

    private long Signed(string field, ulong value) =>
        value <= long.MaxValue ? (long)value : throw Wrong(field, $"is {value}; at most {long.MaxValue} is read");
}
