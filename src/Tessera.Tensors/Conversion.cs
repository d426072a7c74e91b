using System.Numerics;
using System.Runtime.InteropServices;
using Tessera.Tensors.Quantization;

namespace Tessera.Tensors;

/// <summary>
/// Copies values from one floating-point type to another (exact when widening, to the nearest when narrowing), and
/// expands quantised blocks.
/// </summary>
public static unsafe class Conversion
{
    // Small enough to stay in the first-level cache between the two halves of a copy; whole blocks of every type.
    private const int Chunk = 1024;

    /// <summary>
    /// Copies all values of one tensor to another of the same shape; F64 goes to BF16 and F16 by way of F32.
    /// </summary>
    /// <exception cref="ArgumentException">The shapes differ, or integers are to become another type.</exception>
    public static void Copy(Tensor source, Tensor destination)
    {
        if (source.Shape != destination.Shape)
        {
            throw new ArgumentException($"Conversion: {source} can't be copied to {destination}: the shapes differ");
        }

        Copy((byte*)source.Data, source.DType, (byte*)destination.Data, destination.DType, source.Shape.Count);
    }

    /// <summary>Widens exactly.</summary>
    public static void Widen(ReadOnlySpan<BFloat16> source, Span<float> destination)
    {
        ReadOnlySpan<ushort> bits = MemoryMarshal.Cast<BFloat16, ushort>(source);
        Span<uint> wide = MemoryMarshal.Cast<float, uint>(destination[..source.Length]);
        int i = 0;
        for (; i <= bits.Length - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            Vector.Widen(new Vector<ushort>(bits[i..]), out Vector<uint> low, out Vector<uint> high);
            (low << 16).CopyTo(wide[i..]);
            (high << 16).CopyTo(wide[(i + Vector<uint>.Count)..]);
        }

        for (; i < bits.Length; i++)
        {
            wide[i] = (uint)bits[i] << 16;
        }
    }

    /// <summary>Rounds to the nearest, ties to even; a NaN stays one.</summary>
    public static void Narrow(ReadOnlySpan<float> source, Span<BFloat16> destination)
    {
        Span<ushort> bits = MemoryMarshal.Cast<BFloat16, ushort>(destination[..source.Length]);
        int i = 0;
        for (; i <= source.Length - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            Vector<uint> low = Rounded(new Vector<float>(source[i..]));
            Vector<uint> high = Rounded(new Vector<float>(source[(i + Vector<float>.Count)..]));
            Vector.Narrow(low, high).CopyTo(bits[i..]);
        }

        for (; i < source.Length; i++)
        {
            destination[i] = (BFloat16)source[i];
        }
    }

    internal static void Copy(byte* source, DType from, byte* destination, DType to, long count)
    {
        if (from == to)
        {
            Buffer.MemoryCopy(source, destination, to.Bytes(count), to.Bytes(count));
            return;
        }

        if (!(from.IsFloat() || from.IsBlocks()) || !to.IsFloat())
        {
            throw new ArgumentException(
                $"Conversion: {from} can't become {to}; only floating-point types are converted, and blocks expanded");
        }

        Span<float> middle = stackalloc float[Chunk];
        for (long done = 0; done < count; done += Chunk)
        {
            int length = (int)Math.Min(Chunk, count - done);
            void* read = source + from.Bytes(done);
            void* written = destination + (done * to.Size());
            Span<float> values = from == DType.F32 ? new Span<float>(read, length)
                : to == DType.F32 ? new Span<float>(written, length)
                : middle[..length];
            ToSingle(read, from, values);
            FromSingle(values, written, to);
        }
    }

    private static void ToSingle(void* source, DType from, Span<float> values)
    {
        switch (from)
        {
            case DType.F32:
                // They are read where they lie.
                break;
            case DType.BF16:
                Widen(new ReadOnlySpan<BFloat16>(source, values.Length), values);
                break;
            case DType.F16:
                for (int i = 0; i < values.Length; i++)
                {
                    values[i] = (float)((Half*)source)[i];
                }

                break;
            case DType.F64:
                for (int i = 0; i < values.Length; i++)
                {
                    values[i] = (float)((double*)source)[i];
                }

                break;
            default:
                Dequantization.ToSingle(new ReadOnlySpan<byte>(source, (int)from.Bytes(values.Length)), from, values);
                break;
        }
    }

    private static void FromSingle(ReadOnlySpan<float> values, void* destination, DType to)
    {
        switch (to)
        {
            case DType.BF16:
                Narrow(values, new Span<BFloat16>(destination, values.Length));
                break;
            case DType.F16:
                for (int i = 0; i < values.Length; i++)
                {
                    ((Half*)destination)[i] = (Half)values[i];
                }

                break;
            case DType.F64:
                for (int i = 0; i < values.Length; i++)
                {
                    ((double*)destination)[i] = values[i];
                }

                break;
        }
    }

    // The same bits as the conversion of one value in BFloat16.
    private static Vector<uint> Rounded(Vector<float> values)
    {
        Vector<uint> bits = Vector.AsVectorUInt32(values);
        Vector<uint> upper = bits >> 16;
        Vector<uint> rounded = (bits + new Vector<uint>(0x7FFF) + (upper & Vector<uint>.One)) >> 16;
        Vector<uint> isNumber = Vector.AsVectorUInt32(Vector.Equals(values, values));
        return Vector.ConditionalSelect(isNumber, rounded, upper | new Vector<uint>(0x40));
    }
}
