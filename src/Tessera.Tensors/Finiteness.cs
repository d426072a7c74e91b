using System.Numerics;

namespace Tessera.Tensors;

/// <summary>Looks for values that are infinite or not numbers.</summary>
public static unsafe class Finiteness
{
    // Spans end at 2^31 elements; tensors needn't.
    private const int Chunk = 1 << 28;

    /// <summary>
    /// Returns the first value of a tensor that is infinite or NaN, and its place; null where all are finite.
    /// </summary>
    public static (long Index, double Value)? FirstWrong(Tensor tensor)
    {
        byte* data = (byte*)tensor.Data;
        for (long done = 0; done < tensor.Shape.Count; done += Chunk)
        {
            int length = (int)Math.Min(Chunk, tensor.Shape.Count - done);
            void* chunk = data + (done * tensor.DType.Size());
            int place = tensor.DType switch
            {
                DType.F32 => Find(new ReadOnlySpan<uint>(chunk, length), 0x7F800000u),
                DType.BF16 => Find(new ReadOnlySpan<ushort>(chunk, length), (ushort)0x7F80),
                DType.F16 => Find(new ReadOnlySpan<ushort>(chunk, length), (ushort)0x7C00),
                DType.F64 => Find(new ReadOnlySpan<ulong>(chunk, length), 0x7FF0000000000000ul),
                _ => length,
            };
            if (place < length)
            {
                return (done + place, Value(chunk, tensor.DType, place));
            }
        }

        return null;
    }

    /// <summary>Returns the first place whose exponent's bits are all set; the length where there is none.</summary>
    private static int Find<T>(ReadOnlySpan<T> bits, T exponent)
        where T : unmanaged, IBinaryInteger<T>
    {
        Vector<T> mask = new(exponent);
        int i = 0;
        while (i <= bits.Length - Vector<T>.Count && !Vector.EqualsAny(new Vector<T>(bits[i..]) & mask, mask))
        {
            i += Vector<T>.Count;
        }

        while (i < bits.Length && (bits[i] & exponent) != exponent)
        {
            i++;
        }

        return i;
    }

    private static double Value(void* data, DType type, int place) => type switch
    {
        DType.F32 => ((float*)data)[place],
        DType.BF16 => ((BFloat16*)data)[place],
        DType.F16 => (double)((Half*)data)[place],
        _ => ((double*)data)[place],
    };
}
