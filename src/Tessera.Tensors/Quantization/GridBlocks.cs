using System.Buffers.Binary;
using System.Numerics;

namespace Tessera.Tensors.Quantization;

/// <summary>
/// Expands ggml's blocks of 256 values that stand for rows of <see cref="Grids"/>, in eight groups of 32 with scales of
/// their own. Arithmetic is in float32 and in the order that makes ggml's bits.
/// </summary>
internal static class GridBlocks
{
    private const int Groups = 8;
    private const float Delta = 0.125f;

    // d; for each group four indices of a byte, then four times seven signs and a scale of 4 bits.
    public static void Iq2Xxs(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BlocksOf32.Scale(block, 0);
        for (int group = 0; group < Groups; group++)
        {
            ReadOnlySpan<byte> q = block.Slice(2 + (group * 8), 8);
            uint bits = BinaryPrimitives.ReadUInt32LittleEndian(q[4..]);
            float scale = d * (0.5f + (bits >> 28)) * 0.25f;
            for (int i = 0; i < 4; i++)
            {
                Signed(Grids.Iq2Xxs(q[i]), scale, EighthSign(bits >> (7 * i)), values[((group * 32) + (i * 8))..]);
            }
        }
    }

    // d; 32 times an index of 9 bits with seven signs; a byte of two scales for each group.
    public static void Iq2Xs(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BlocksOf32.Scale(block, 0);
        for (int i = 0; i < 32; i++)
        {
            int q = BinaryPrimitives.ReadUInt16LittleEndian(block[(2 + (i * 2))..]);
            float scale = HalfScale(d, block[66 + (i / 4)], i);
            Signed(Grids.Iq2Xs(q & 511), scale, EighthSign((uint)q >> 9), values[(i * 8)..]);
        }
    }

    // d; 32 lower bytes of indices, 32 bytes of signs, 8 of upper bits, 8 of two scales each.
    public static void Iq2S(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BlocksOf32.Scale(block, 0);
        for (int i = 0; i < 32; i++)
        {
            int index = block[2 + i] | (block[66 + (i / 4)] >> (2 * (i % 4)) & 3) << 8;
            Signed(Grids.Iq2S(index), HalfScale(d, block[74 + (i / 4)], i), block[34 + i], values[(i * 8)..]);
        }
    }

    // d; 64 indices of rows of four; for each group four times seven signs and a scale of 4 bits.
    public static void Iq3Xxs(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BlocksOf32.Scale(block, 0);
        for (int group = 0; group < Groups; group++)
        {
            uint bits = BinaryPrimitives.ReadUInt32LittleEndian(block[(66 + (group * 4))..]);
            float scale = d * (0.5f + (bits >> 28)) * 0.5f;
            for (int i = 0; i < 8; i++)
            {
                int signs = EighthSign(bits >> (7 * (i / 2))) >> (4 * (i % 2));
                int at = (group * 8) + i;
                Signed(Grids.Iq3Xxs(block[2 + at]), scale, signs, values[(at * 4)..]);
            }
        }
    }

    // d; 64 lower bytes of indices, 8 of ninth bits, 32 of signs, 4 of two scales each.
    public static void Iq3S(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BlocksOf32.Scale(block, 0);
        for (int i = 0; i < 64; i++)
        {
            int group = i / 8;
            int index = block[2 + i] | (block[66 + group] >> (i % 8) & 1) << 8;
            float scale = d * (1 + (2 * (block[106 + (group / 2)] >> (4 * (group % 2)) & 15)));
            Signed(Grids.Iq3S(index), scale, block[74 + (i / 2)] >> (4 * (i % 2)), values[(i * 4)..]);
        }
    }

    // d; 32 lower bytes of indices; for each group four times three upper bits, a scale of 3 bits, the delta's sign.
    public static void Iq1S(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BlocksOf32.Scale(block, 0);
        for (int i = 0; i < 32; i++)
        {
            int high = BinaryPrimitives.ReadUInt16LittleEndian(block[(34 + (i / 4 * 2))..]);
            float scale = d * ((2 * (high >> 12 & 7)) + 1);
            int index = block[2 + i] | (high >> (3 * (i % 4)) & 7) << 8;
            Shifted(index, scale, (high & 0x8000) != 0, values[(i * 8)..]);
        }
    }

    // 32 lower bytes of indices, 32 half bytes of three upper bits and the delta's sign, four times four scales of 3
    // bits with 4 bits of d above them.
    public static void Iq1M(ReadOnlySpan<byte> block, Span<float> values)
    {
        ReadOnlySpan<byte> scales = block[48..];
        int bits = 0;
        for (int i = 0; i < 4; i++)
        {
            bits |= BinaryPrimitives.ReadUInt16LittleEndian(scales[(2 * i)..]) >> 12 << (4 * i);
        }

        float d = (float)BitConverter.UInt16BitsToHalf((ushort)bits);
        for (int i = 0; i < 32; i++)
        {
            int group = i / 4;
            int packed = BinaryPrimitives.ReadUInt16LittleEndian(scales[(group / 2 * 2)..]);
            float scale = d * ((2 * (packed >> ((6 * (group % 2)) + (i % 4 / 2 * 3)) & 7)) + 1);
            int high = block[32 + (i / 2)] >> (4 * (i % 2));
            Shifted(block[i] | (high & 7) << 8, scale, (high & 8) != 0, values[(i * 8)..]);
        }
    }

    // Seven signs are stored; the eighth makes their number even.
    private static int EighthSign(uint signs) =>
        (int)(signs & 127) | (BitOperations.PopCount(signs & 127) & 1) << 7;

    private static float HalfScale(float d, byte scales, int row) =>
        d * (0.5f + (scales >> (4 * (row % 4 / 2)) & 15)) * 0.25f;

    private static void Signed(ReadOnlySpan<byte> row, float scale, int signs, Span<float> values)
    {
        for (int i = 0; i < row.Length; i++)
        {
            values[i] = scale * row[i] * ((signs >> i & 1) != 0 ? -1f : 1f);
        }
    }

    private static void Shifted(int index, float scale, bool isNegative, Span<float> values)
    {
        ReadOnlySpan<byte> row = Grids.Iq1(index);
        for (int i = 0; i < row.Length; i++)
        {
            values[i] = scale * ((sbyte)row[i] + (isNegative ? -Delta : Delta));
        }
    }
}
