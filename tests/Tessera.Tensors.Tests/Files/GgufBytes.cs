using System.Buffers.Binary;
using System.Text;

namespace Tessera.Tensors.Tests.Files;

/// <summary>Writes the parts of a GGUF file one after another, whether they make sense or not.</summary>
internal sealed class GgufBytes
{
    private readonly List<byte> _bytes = [];

    public byte[] All => [.. _bytes];

    /// <summary>A file of two keys, a list of texts, and two tensors.</summary>
    public static byte[] Good => new GgufBytes()
        .Head(version: 3, tensors: 2, values: 3)
        .Text("general.architecture").U32(8).Text("llama")
        .Text("llama.block_count").U32(4).U32(2)
        .Text("tokens").U32(9).U32(8).U64(2).Text("a").Text("bc")
        .Text("x").U32(2).U64(3).U64(2).U32(0).U64(0)
        .Text("y").U32(1).U64(32).U32(2).U64(32)
        .Align().Zeros(32 + 18).All;

    public GgufBytes Head(uint version, ulong tensors, ulong values)
    {
        _bytes.AddRange("GGUF"u8);
        return U32(version).U64(tensors).U64(values);
    }

    public GgufBytes U32(uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        _bytes.AddRange(bytes);
        return this;
    }

    public GgufBytes U64(ulong value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        _bytes.AddRange(bytes);
        return this;
    }

    public GgufBytes Text(string text)
    {
        U64((ulong)Encoding.UTF8.GetByteCount(text));
        _bytes.AddRange(Encoding.UTF8.GetBytes(text));
        return this;
    }

    public GgufBytes Align()
    {
        _bytes.AddRange(new byte[-_bytes.Count & 31]);
        return this;
    }

    public GgufBytes Zeros(int count)
    {
        _bytes.AddRange(new byte[count]);
        return this;
    }
}
