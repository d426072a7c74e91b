using System.Buffers.Binary;

namespace Tessera.Tensors.Quantization;

/// <summary>
/// Expands ggml's blocks of 32 values. In those of 4 bits the lower halves of the bytes are the first 16 values, the
/// upper halves the others. Arithmetic is in float32 and in the order that makes ggml's bits.
/// </summary>
internal static class BlocksOf32
{
    private const int Half = 16;

    /// <summary>The numbers that the 16 values of IQ4_NL and IQ4_XS stand for.</summary>
    public static ReadOnlySpan<sbyte> Iq4Numbers =>
        [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    // Twice the numbers of E2M1, so that they are whole.
    private static ReadOnlySpan<sbyte> Fp4Numbers => [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

    /// <summary>Reads a binary16 scale.</summary>
    public static float Scale(ReadOnlySpan<byte> block, int at) =>
        (float)BinaryPrimitives.ReadHalfLittleEndian(block[at..]);

    public static void Q4_0(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = Scale(block, 0);
        ReadOnlySpan<byte> q = block[2..];
        for (int i = 0; i < Half; i++)
        {
            values[i] = ((q[i] & 15) - 8) * d;
            values[i + Half] = ((q[i] >> 4) - 8) * d;
        }
    }

    public static void Q4_1(ReadOnlySpan<byte> block, Span<float> values)
    {
        (float d, float least) = (Scale(block, 0), Scale(block, 2));
        ReadOnlySpan<byte> q = block[4..];
        for (int i = 0; i < Half; i++)
        {
            values[i] = ((q[i] & 15) * d) + least;
            values[i + Half] = ((q[i] >> 4) * d) + least;
        }
    }

    public static void Q5_0(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = Scale(block, 0);
        uint fifth = BinaryPrimitives.ReadUInt32LittleEndian(block[2..]);
        ReadOnlySpan<byte> q = block[6..];
        for (int i = 0; i < Half; i++)
        {
            values[i] = (((q[i] & 15) | Fifth(fifth, i)) - 16) * d;
            values[i + Half] = (((q[i] >> 4) | Fifth(fifth, i + Half)) - 16) * d;
        }
    }

    public static void Q5_1(ReadOnlySpan<byte> block, Span<float> values)
    {
        (float d, float least) = (Scale(block, 0), Scale(block, 2));
        uint fifth = BinaryPrimitives.ReadUInt32LittleEndian(block[4..]);
        ReadOnlySpan<byte> q = block[8..];
        for (int i = 0; i < Half; i++)
        {
            values[i] = (((q[i] & 15) | Fifth(fifth, i)) * d) + least;
            values[i + Half] = (((q[i] >> 4) | Fifth(fifth, i + Half)) * d) + least;
        }
    }

    public static void Q8_0(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = Scale(block, 0);
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (sbyte)block[2 + i] * d;
        }
    }

    public static void Iq4Nl(ReadOnlySpan<byte> block, Span<float> values) =>
        FromTable(block[2..], Iq4Numbers, Scale(block, 0), values);

    public static void MxFp4(ReadOnlySpan<byte> block, Span<float> values)
    {
        // 2^(e - 128), half of the power that is meant; the smallest two are subnormal.
        int e = block[0];
        float d = BitConverter.Int32BitsToSingle(e < 2 ? 0x0020_0000 << e : (e - 1) << 23);
        FromTable(block[1..], Fp4Numbers, d, values);
    }

    // 64 values: four scales, unsigned with 4 bits of exponent and 3 of fraction, then 8 bytes for each.
    public static void NvFp4(ReadOnlySpan<byte> block, Span<float> values)
    {
        for (int group = 0; group < 4; group++)
        {
            float d = HalfOfE4M3(block[group]);
            ReadOnlySpan<byte> q = block.Slice(4 + (group * 8), 8);
            for (int i = 0; i < 8; i++)
            {
                values[(group * 16) + i] = Fp4Numbers[q[i] & 15] * d;
                values[(group * 16) + i + 8] = Fp4Numbers[q[i] >> 4] * d;
            }
        }
    }

    // Half of the number, as the table has twice; the code of all ones is no number and counts as 0.
    private static float HalfOfE4M3(byte code)
    {
        int exponent = code >> 3 & 15, fraction = code & 7;
        return (code & 127) == 127 ? 0
            : exponent == 0 ? MathF.ScaleB(fraction, -10)
            : MathF.ScaleB(8 + fraction, exponent - 11);
    }

    /// <summary>Expands 16 bytes into 32 numbers of a table times a scale.</summary>
    public static void FromTable(ReadOnlySpan<byte> q, ReadOnlySpan<sbyte> numbers, float scale, Span<float> values)
    {
        for (int i = 0; i < Half; i++)
        {
            values[i] = numbers[q[i] & 15] * scale;
            values[i + Half] = numbers[q[i] >> 4] * scale;
        }
    }

    private static int Fifth(uint bits, int i) => (int)(bits >> i & 1) << 4;
}
