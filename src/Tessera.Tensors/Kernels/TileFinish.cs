namespace Tessera.Tensors.Kernels;

/// <summary>Does in C# what the end of a generated tile does: (C +) (sum + bias), rounded to C's type.</summary>
internal static unsafe class TileFinish
{
    /// <summary>
    /// Stores the sums of <paramref name="rows"/> rows, <paramref name="width"/> apart, as the arguments say.
    /// </summary>
    public static void Store(float* sums, int width, int rows, TileArguments* arguments)
    {
        bool accumulate = (arguments->Options & TileOptions.Accumulate) != 0;
        bool rounds = (arguments->Options & TileOptions.StoreBFloat16) != 0;
        int columns = arguments->Columns;
        byte* c = (byte*)arguments->C;
        for (int row = 0; row < rows; row++)
        {
            Span<float> values = new(sums + (row * width), columns);
            if (arguments->Bias != null)
            {
                Add(values, new(arguments->Bias, columns));
            }

            if (rounds)
            {
                Round(values, new(c, columns), accumulate);
            }
            else
            {
                Span<float> to = new(c, columns);
                if (accumulate)
                {
                    Add(values, to);
                }

                values.CopyTo(to);
            }

            c += arguments->CRowStride;
        }
    }

    private static void Add(Span<float> values, ReadOnlySpan<float> others)
    {
        for (int i = 0; i < values.Length; i++)
        {
            values[i] += others[i];
        }
    }

    private static void Round(ReadOnlySpan<float> values, Span<BFloat16> to, bool accumulate)
    {
        for (int i = 0; i < values.Length; i++)
        {
            to[i] = (BFloat16)(accumulate ? to[i] + values[i] : values[i]);
        }
    }
}
