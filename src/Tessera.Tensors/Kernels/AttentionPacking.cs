using System.Runtime.Intrinsics;

namespace Tessera.Tensors.Kernels;

/// <summary>Brings heads of queries, keys and values into the layouts that tiles read, and results back.</summary>
internal static unsafe class AttentionPacking
{
    /// <summary>Returns the rows of one head as a matrix of rows × D.</summary>
    public static MatrixView Head(void* data, DType type, long firstRow, int rows, int heads, int head, int headSize) =>
        new((byte*)data + (((firstRow * heads) + head) * headSize * type.Size()), type, rows, headSize, heads * headSize);

    /// <summary>
    /// Packs columns of a matrix into panels of <paramref name="steps"/> steps each; steps beyond the matrix become zero.
    /// </summary>
    public static void Panels(MatrixView b, DType type, int width, int steps, byte* to)
    {
        int filled = Kernels.Panels.Steps(type, b.Rows);
        for (int column = 0; column < b.Columns; column += width)
        {
            PanelPacking.Pack(b, type, width, column, 0, filled, to);
            byte* rest = to + ((long)filled * width * sizeof(uint));
            to += (long)steps * width * sizeof(uint);
            new Span<byte>(rest, (int)(to - rest)).Clear();
        }
    }

    /// <summary>Copies one row of a head, converted, with zeros up to <paramref name="padded"/> elements.</summary>
    public static void Row(byte* from, DType type, byte* to, DType wanted, int count, int padded)
    {
        if (type == wanted)
        {
            int bytes = count * type.Size();
            Buffer.MemoryCopy(from, to, bytes, bytes);
        }
        else if (wanted == DType.F32)
        {
            Widen((BFloat16*)from, (float*)to, count);
        }
        else
        {
            Round((float*)from, (BFloat16*)to, count);
        }

        for (int i = count * wanted.Size(); i < padded * wanted.Size(); i++)
        {
            to[i] = 0;
        }
    }

    /// <summary>Turns pairs of bf16, [step][column][2], into the two rows of fp32 that they stand for.</summary>
    public static void WidenPairs(uint* from, int steps, int columns, float* to)
    {
        Vector256<uint> high = Vector256.Create(0xFFFF0000u);
        for (int step = 0; step < steps; step++, from += columns, to += 2 * columns)
        {
            for (int c = 0; c < columns; c += Vector256<uint>.Count)
            {
                Vector256<uint> pairs = Vector256.Load(from + c);
                (pairs << 16).AsSingle().Store(to + c);
                (pairs & high).AsSingle().Store(to + columns + c);
            }
        }
    }

    /// <summary>Stores sums times a factor. Which zero a sum of zeros is may depend on the tile (keys of weight 0); 0 is stored for both.</summary>
    public static void StoreScaled(float* sums, float factor, int count, byte* to, DType type, long start)
    {
        Vector512<float> factors = Vector512.Create(factor);
        int i = 0;
        for (; i + VectorMath.Width <= count; i += VectorMath.Width)
        {
            Vector512<float> values = (Vector512.Load(sums + i) * factors) + Vector512<float>.Zero;
            if (type == DType.F32)
            {
                values.Store((float*)to + start + i);
            }
            else
            {
                VectorMath.StoreBFloat16(values, (BFloat16*)to + start + i);
            }
        }

        for (; i < count; i++)
        {
            float value = (sums[i] * factor) + 0f;
            if (type == DType.F32)
            {
                ((float*)to)[start + i] = value;
            }
            else
            {
                ((BFloat16*)to)[start + i] = (BFloat16)value;
            }
        }
    }

    /// <summary>Stores sums times a factor into a gradient, or adds them to it.</summary>
    public static void StoreScaled(float* sums, float factor, int count, AttentionGradients.Target to, long start)
    {
        if (to.Accumulates)
        {
            for (int i = 0; i < count; i++)
            {
                float former = to.Type == DType.F32 ? ((float*)to.Data)[start + i] : ((BFloat16*)to.Data)[start + i];
                sums[i] = (sums[i] * factor) + former;
            }
        }

        StoreScaled(sums, to.Accumulates ? 1 : factor, count, to.Data, to.Type, start);
    }

    /// <summary>Returns the sum of products of two rows.</summary>
    public static float Dot(void* a, DType aType, void* b, DType bType, int count)
    {
        Vector512<float> sums = Vector512<float>.Zero;
        int i = 0;
        for (; i + VectorMath.Width <= count; i += VectorMath.Width)
        {
            Vector512<float> x = aType == DType.F32 ? Vector512.Load((float*)a + i) : VectorMath.LoadBFloat16((BFloat16*)a + i);
            Vector512<float> y = bType == DType.F32 ? Vector512.Load((float*)b + i) : VectorMath.LoadBFloat16((BFloat16*)b + i);
            sums = Vector512.FusedMultiplyAdd(x, y, sums);
        }

        float sum = VectorMath.Sum(sums);
        for (; i < count; i++)
        {
            float x = aType == DType.F32 ? ((float*)a)[i] : ((BFloat16*)a)[i];
            float y = bType == DType.F32 ? ((float*)b)[i] : ((BFloat16*)b)[i];
            sum = MathF.FusedMultiplyAdd(x, y, sum);
        }

        return sum;
    }

    private static void Widen(BFloat16* from, float* to, int count)
    {
        int i = 0;
        for (; i + VectorMath.Width <= count; i += VectorMath.Width)
        {
            VectorMath.LoadBFloat16(from + i).Store(to + i);
        }

        for (; i < count; i++)
        {
            to[i] = from[i];
        }
    }

    private static void Round(float* from, BFloat16* to, int count)
    {
        int i = 0;
        for (; i + VectorMath.Width <= count; i += VectorMath.Width)
        {
            VectorMath.StoreBFloat16(Vector512.Load(from + i), to + i);
        }

        for (; i < count; i++)
        {
            to[i] = (BFloat16)from[i];
        }
    }
}
