namespace Tessera.Tensors.Quantization;

/// <summary>Expands ggml's blocks of 256 values that are −1, 0 or 1 times a scale.</summary>
internal static class TernaryBlocks
{
    // 64 bytes of four values of 2 bits, d.
    public static void Tq2_0(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BlocksOf32.Scale(block, 64);
        for (int i = 0; i < values.Length; i++)
        {
            int part = i / 128, shift = i / 32 % 4 * 2;
            values[i] = ((block[(part * 32) + (i % 32)] >> shift & 3) - 1) * d;
        }
    }

    // 48 bytes of five values and 4 bytes of four, each byte a fraction in base 3 whose digits are the values, d.
    public static void Tq1_0(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BlocksOf32.Scale(block, 52);
        Digits(block[..32], 5, d, values);
        Digits(block.Slice(32, 16), 5, d, values[160..]);
        Digits(block.Slice(48, 4), 4, d, values[240..]);
    }

    private static void Digits(ReadOnlySpan<byte> bytes, int digits, float d, Span<float> values)
    {
        int power = 1;
        for (int digit = 0; digit < digits; digit++, power *= 3)
        {
            for (int i = 0; i < bytes.Length; i++)
            {
                int rest = (byte)(bytes[i] * power);
                values[(digit * bytes.Length) + i] = ((rest * 3 >> 8) - 1) * d;
            }
        }
    }
}
