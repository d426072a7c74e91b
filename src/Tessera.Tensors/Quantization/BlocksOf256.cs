using System.Buffers.Binary;

namespace Tessera.Tensors.Quantization;

/// <summary>
/// Expands ggml's blocks of 256 values, whose groups have scales that are quantised themselves. Arithmetic is in
/// float32 and in the order that makes ggml's bits.
/// </summary>
internal static class BlocksOf256
{
    private const int Group = 16;
    private const int HalfBlock = 128;

    // 16 scales (lower halves) and least values (upper halves), 64 bytes of values, d, dmin.
    public static void Q2_K(ReadOnlySpan<byte> block, Span<float> values)
    {
        (float d, float least) = (BlocksOf32.Scale(block, 80), BlocksOf32.Scale(block, 82));
        for (int group = 0; group < 16; group++)
        {
            float scale = d * (block[group] & 15), offset = least * (block[group] >> 4);
            (int start, int shift) = TwoBits(group);
            for (int i = 0; i < Group; i++)
            {
                values[(group * Group) + i] = (scale * (block[16 + start + i] >> shift & 3)) - offset;
            }
        }
    }

    // 32 bytes of third bits, 64 bytes of values, 12 of scales, d.
    public static void Q3_K(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BlocksOf32.Scale(block, 108);
        ReadOnlySpan<byte> scales = block[96..108];
        for (int group = 0; group < 16; group++)
        {
            int low = group < 8 ? scales[group] & 15 : scales[group - 8] >> 4;
            int high = scales[8 + (group % 4)] >> (2 * (group / 4)) & 3;
            float scale = d * ((low | (high << 4)) - 32);
            (int start, int shift) = TwoBits(group);
            int bit = group / 2;
            for (int i = 0; i < Group; i++)
            {
                int third = block[(start % 32) + i] >> bit & 1;
                values[(group * Group) + i] = scale * ((block[32 + start + i] >> shift & 3) - (third != 0 ? 0 : 4));
            }
        }
    }

    // d, dmin, 12 bytes of scales and least values, 128 of values.
    public static void Q4_K(ReadOnlySpan<byte> block, Span<float> values)
    {
        (float d, float least) = (BlocksOf32.Scale(block, 0), BlocksOf32.Scale(block, 2));
        for (int group = 0; group < 8; group++)
        {
            (int scale, int offset) = SixBits(block.Slice(4, 12), group);
            float groupScale = d * scale, groupOffset = least * offset;
            ReadOnlySpan<byte> q = block.Slice(16 + (group / 2 * 32), 32);
            for (int i = 0; i < 32; i++)
            {
                values[(group * 32) + i] = (groupScale * (q[i] >> (4 * (group % 2)) & 15)) - groupOffset;
            }
        }
    }

    // As Q4_K, with 32 bytes of fifth bits before the values.
    public static void Q5_K(ReadOnlySpan<byte> block, Span<float> values)
    {
        (float d, float least) = (BlocksOf32.Scale(block, 0), BlocksOf32.Scale(block, 2));
        for (int group = 0; group < 8; group++)
        {
            (int scale, int offset) = SixBits(block.Slice(4, 12), group);
            float groupScale = d * scale, groupOffset = least * offset;
            ReadOnlySpan<byte> q = block.Slice(48 + (group / 2 * 32), 32);
            for (int i = 0; i < 32; i++)
            {
                int fifth = (block[16 + i] >> group & 1) << 4;
                int value = (q[i] >> (4 * (group % 2)) & 15) + fifth;
                values[(group * 32) + i] = (groupScale * value) - groupOffset;
            }
        }
    }

    // 128 bytes of lower bits, 64 of upper ones, 16 signed scales, d.
    public static void Q6_K(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BlocksOf32.Scale(block, 208);
        for (int half = 0; half < 2; half++)
        {
            ReadOnlySpan<byte> low = block.Slice(64 * half, 64), high = block.Slice(128 + (32 * half), 32);
            ReadOnlySpan<byte> scales = block.Slice(192 + (8 * half), 8);
            for (int quarter = 0; quarter < 4; quarter++)
            {
                for (int i = 0; i < 32; i++)
                {
                    int q = low[(quarter % 2 * 32) + i] >> (quarter / 2 * 4) & 15;
                    q |= (high[i] >> (2 * quarter) & 3) << 4;
                    float scale = d * (sbyte)scales[(2 * quarter) + (i / Group)];
                    values[(half * HalfBlock) + (quarter * 32) + i] = scale * (q - 32);
                }
            }
        }
    }

    // d, 16 bits of upper and 4 bytes of lower halves of scales, 128 bytes of values.
    public static void Iq4Xs(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BlocksOf32.Scale(block, 0);
        uint upper = BinaryPrimitives.ReadUInt16LittleEndian(block[2..]);
        for (int group = 0; group < 8; group++)
        {
            int scale = (block[4 + (group / 2)] >> (4 * (group % 2)) & 15) | (int)((upper >> (2 * group) & 3) << 4);
            ReadOnlySpan<byte> q = block.Slice(8 + (group * 16), 16);
            BlocksOf32.FromTable(q, BlocksOf32.Iq4Numbers, d * (scale - 32), values.Slice(group * 32, 32));
        }
    }

    // Where a group of 16 values has its bits: 32 bytes hold four pairs of groups, one pair for each shift.
    private static (int Start, int Shift) TwoBits(int group) =>
        ((group / 8 * 32) + (group % 2 * Group), group % 8 / 2 * 2);

    // Scale and least value of a group, packed as ggml's get_scale_min_k4 has them.
    private static (int Scale, int Least) SixBits(ReadOnlySpan<byte> q, int group) => group < 4
        ? (q[group] & 63, q[group + 4] & 63)
        : ((q[group + 4] & 15) | (q[group - 4] >> 6 << 4), (q[group + 4] >> 4) | (q[group] >> 6 << 4));
}
