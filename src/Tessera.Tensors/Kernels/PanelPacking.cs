using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Tessera.Tensors.Kernels;

/// <summary>
/// Packs strips of columns into panels, [step][column] of 4 bytes, widening or rounding the elements on the way.
/// </summary>
internal static unsafe class PanelPacking
{
    private const int Lanes = 16;

    // Rows are read in blocks of so many steps for all panels of the strip, so that each line of them is fetched once.
    private const int BlockSteps = 16;

    /// <summary>Packs some steps of all panels; columns and rows that the matrix has not become zero.</summary>
    public static void Pack(in Strip strip, int first, int last)
    {
        if (strip.Source.Type == DType.F32)
        {
            Pack<Singles>(in strip, first, last);
        }
        else
        {
            Pack<BFloat16s>(in strip, first, last);
        }
    }

    private static void Pack<TElements>(in Strip strip, int first, int last)
        where TElements : struct, IElements
    {
        if (strip.Source.Transposed)
        {
            TransposedPacking.Pack<TElements>(in strip, first, last);
            return;
        }

        // The last steps are done on their own: the last may lack its second row, and the vector that holds a step's
        // last column must not reach into the next panel or item, which another thread may be writing.
        int own = Math.Max(1, ((Lanes + strip.Width - 1) / strip.Width) - 1);
        int vectors = Math.Max(first, last - own);
        for (int step = first; step < vectors; step += BlockSteps)
        {
            int end = Math.Min(step + BlockSteps, vectors);
            for (int panel = 0; panel < strip.Panels; panel++)
            {
                for (int column = 0; column < strip.Width; column += Lanes)
                {
                    PackBlock<TElements>(in strip, panel, column, step, end);
                }
            }
        }

        for (int panel = 0; panel < strip.Panels; panel++)
        {
            for (int step = vectors; step < last; step++)
            {
                PackAlone<TElements>(in strip, panel, step);
            }
        }
    }

    private static void PackBlock<TElements>(in Strip strip, int panel, int column, int first, int last)
        where TElements : struct, IElements
    {
        int from = strip.Column(panel) + column;
        uint* to = strip.Step(panel, first) + column;
        nint stride = (nint)strip.Source.Stride * TElements.Bytes;
        if (from + Lanes > strip.Source.Columns)
        {
            for (int step = first; step < last; step++, to += strip.Width)
            {
                Edge<TElements>(in strip, from, step).Store(to);
            }
        }
        else if (strip.HasPairs)
        {
            WeaveRows<TElements>(strip.Source.At(2 * first, from), stride, last - first, to, strip.Width);
        }
        else
        {
            CopyRows<TElements>(strip.Source.At(first, from), stride, last - first, to, strip.Width);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WeaveRows<TElements>(byte* row, nint stride, int steps, uint* to, nint width)
        where TElements : struct, IElements
    {
        for (int step = 0; step < steps; step++, to += width, row += 2 * stride)
        {
            TElements.LoadWoven(row, row + stride).Store(to);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyRows<TElements>(byte* row, nint stride, int steps, uint* to, nint width)
        where TElements : struct, IElements
    {
        for (int step = 0; step < steps; step++, to += width, row += stride)
        {
            TElements.Load16(row).Store(to);
        }
    }

    private static void PackAlone<TElements>(in Strip strip, int panel, int step)
        where TElements : struct, IElements
    {
        uint* lanes = stackalloc uint[Lanes];
        for (int column = 0; column < strip.Width; column += Lanes)
        {
            Edge<TElements>(in strip, strip.Column(panel) + column, step).Store(lanes);
            int count = Math.Min(Lanes, strip.Width - column);
            new ReadOnlySpan<uint>(lanes, count).CopyTo(new Span<uint>(strip.Step(panel, step) + column, count));
        }
    }

    // A vector of a step near the matrix's edges.
    private static Vector512<uint> Edge<TElements>(in Strip strip, int from, int step)
        where TElements : struct, IElements
    {
        int count = Math.Clamp(strip.Source.Columns - from, 0, Lanes);
        if (!strip.HasPairs)
        {
            return Row(in strip, step);
        }

        Vector512<uint> second = step < strip.WholeSteps ? Row(in strip, (2 * step) + 1) : Vector512<uint>.Zero;
        return TElements.Weave(Row(in strip, 2 * step), second);

        Vector512<uint> Row(in Strip strip, int row) =>
            count == 0 ? Vector512<uint>.Zero : TElements.LoadPart(strip.Source.At(row, from), count);
    }
}
