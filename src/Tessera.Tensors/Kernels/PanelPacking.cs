using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Tessera.Tensors.Kernels;

/// <summary>Packs a strip of columns into a panel, [step][column] of 4 bytes, widening or rounding its elements on the way.</summary>
internal static unsafe class PanelPacking
{
    private const int Lanes = 8;

    /// <summary>Bytes beyond a panel that packing may write: the vector that holds its last column.</summary>
    public const int Slack = Lanes * sizeof(uint);

    /// <summary>
    /// Packs <paramref name="width"/> columns from <paramref name="column"/> on, steps <paramref name="first"/> to
    /// <paramref name="last"/>, of a matrix whose rows are K; columns and rows that it has not become zero. A width that
    /// is not a multiple of 8 writes up to <see cref="Slack"/> bytes behind the panel.
    /// </summary>
    public static void Pack(MatrixView source, DType type, int width, int column, int first, int last, byte* to)
    {
        int columns = Math.Min(width, source.Columns - column);
        if (columns < width)
        {
            new Span<byte>(to, (last - first) * width * sizeof(uint)).Clear();
        }

        Strip strip = new(source, type, width, column, columns, first, last, (uint*)to);
        if (source.Type == DType.F32)
        {
            Pack<Singles>(in strip);
        }
        else
        {
            Pack<BFloat16s>(in strip);
        }
    }

    private static void Pack<TElements>(in Strip strip)
        where TElements : struct, IElements
    {
        if (strip.Source.Transposed)
        {
            PackTransposed<TElements>(in strip);
        }
        else if (strip.Type == DType.BF16)
        {
            PackPairs<TElements>(in strip);
        }
        else
        {
            PackValues<TElements>(in strip);
        }
    }

    // Rows of K as they are stored, one a step.
    private static void PackValues<TElements>(in Strip strip)
        where TElements : struct, IElements
    {
        uint* to = strip.To;
        for (int step = strip.First; step < strip.Last; step++, to += strip.Width)
        {
            byte* row = strip.Source.At(step, strip.Column);
            int c = 0;
            for (; c < strip.Columns && strip.CanRead(c); c += Lanes)
            {
                TElements.Load(row + (c * TElements.Bytes)).Store(to + c);
            }

            for (; c < strip.Columns; c++)
            {
                to[c] = TElements.LoadOne(row + (c * TElements.Bytes));
            }
        }
    }

    // Two rows of K as they are stored, woven into pairs.
    private static void PackPairs<TElements>(in Strip strip)
        where TElements : struct, IElements
    {
        uint* to = strip.To;
        for (int step = strip.First; step < strip.Last; step++, to += strip.Width)
        {
            bool alone = (2 * step) + 1 == strip.Source.Rows;
            byte* even = strip.Source.At(2 * step, strip.Column);
            byte* odd = alone ? even : strip.Source.At((2 * step) + 1, strip.Column);
            uint keepOdd = alone ? 0 : 0xFFFF0000;
            int c = 0;
            for (; c < strip.Columns && strip.CanRead(c); c += Lanes)
            {
                Vector256<uint> low = TElements.Round(TElements.Load(even + (c * TElements.Bytes)));
                Vector256<uint> high = TElements.Round(TElements.Load(odd + (c * TElements.Bytes)));
                ((low >>> 16) | (high & Vector256.Create(keepOdd))).Store(to + c);
            }

            for (; c < strip.Columns; c++)
            {
                uint low = TElements.RoundOne(TElements.LoadOne(even + (c * TElements.Bytes)));
                uint high = TElements.RoundOne(TElements.LoadOne(odd + (c * TElements.Bytes)));
                to[c] = (low >> 16) | (high & keepOdd);
            }
        }
    }

    // Columns as they are stored: squares of 8 columns × 8 steps are turned in registers.
    private static void PackTransposed<TElements>(in Strip strip)
        where TElements : struct, IElements
    {
        bool pairs = strip.Type == DType.BF16;
        int wholeSteps = pairs ? strip.Source.Rows / 2 : strip.Source.Rows; // an odd last row has no pair to load
        int step = strip.First;
        for (; Avx.IsSupported && step + Lanes <= Math.Min(strip.Last, wholeSteps); step += Lanes)
        {
            int c = 0;
            for (; c + Lanes <= strip.Columns; c += Lanes)
            {
                TurnSquare<TElements>(in strip, pairs, step, c);
            }

            PackOneByOne<TElements>(in strip, step, step + Lanes, c);
        }

        PackOneByOne<TElements>(in strip, step, strip.Last, 0);
    }

    private static void TurnSquare<TElements>(in Strip strip, bool pairs, int step, int column)
        where TElements : struct, IElements
    {
        byte* from = strip.Source.At(pairs ? 2 * step : step, strip.Column + column);
        nint stride = (nint)strip.Source.Stride * TElements.Bytes;
        Vector256<uint> r0 = Load(0), r1 = Load(1), r2 = Load(2), r3 = Load(3);
        Vector256<uint> r4 = Load(4), r5 = Load(5), r6 = Load(6), r7 = Load(7);
        (Vector256<uint> p0, Vector256<uint> p1, Vector256<uint> p2, Vector256<uint> p3) = TurnLanes(r0, r1, r2, r3);
        (Vector256<uint> q0, Vector256<uint> q1, Vector256<uint> q2, Vector256<uint> q3) = TurnLanes(r4, r5, r6, r7);
        uint* to = strip.To + ((nint)(step - strip.First) * strip.Width) + column;
        int width = strip.Width;
        Avx.Permute2x128(p0, q0, 0x20).Store(to);
        Avx.Permute2x128(p1, q1, 0x20).Store(to + width);
        Avx.Permute2x128(p2, q2, 0x20).Store(to + (2 * width));
        Avx.Permute2x128(p3, q3, 0x20).Store(to + (3 * width));
        Avx.Permute2x128(p0, q0, 0x31).Store(to + (4 * width));
        Avx.Permute2x128(p1, q1, 0x31).Store(to + (5 * width));
        Avx.Permute2x128(p2, q2, 0x31).Store(to + (6 * width));
        Avx.Permute2x128(p3, q3, 0x31).Store(to + (7 * width));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        Vector256<uint> Load(int column) => pairs
            ? TElements.LoadPairs(from + (column * stride))
            : TElements.Load(from + (column * stride));
    }

    // Turns the 4 × 4 square in each half: result i holds element i of the four rows.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<uint>, Vector256<uint>, Vector256<uint>, Vector256<uint>) TurnLanes(
        Vector256<uint> r0, Vector256<uint> r1, Vector256<uint> r2, Vector256<uint> r3)
    {
        Vector256<double> low01 = Avx.UnpackLow(r0.AsSingle(), r1.AsSingle()).AsDouble();
        Vector256<double> high01 = Avx.UnpackHigh(r0.AsSingle(), r1.AsSingle()).AsDouble();
        Vector256<double> low23 = Avx.UnpackLow(r2.AsSingle(), r3.AsSingle()).AsDouble();
        Vector256<double> high23 = Avx.UnpackHigh(r2.AsSingle(), r3.AsSingle()).AsDouble();
        return (
            Avx.UnpackLow(low01, low23).AsUInt32(),
            Avx.UnpackHigh(low01, low23).AsUInt32(),
            Avx.UnpackLow(high01, high23).AsUInt32(),
            Avx.UnpackHigh(high01, high23).AsUInt32());
    }

    private static void PackOneByOne<TElements>(in Strip strip, int first, int last, int column)
        where TElements : struct, IElements
    {
        for (int c = column; c < strip.Columns; c++)
        {
            for (int step = first; step < last; step++)
            {
                uint* to = strip.To + ((nint)(step - strip.First) * strip.Width) + c;
                if (strip.Type == DType.F32)
                {
                    *to = TElements.LoadOne(strip.Source.At(step, strip.Column + c));
                    continue;
                }

                uint low = TElements.RoundOne(TElements.LoadOne(strip.Source.At(2 * step, strip.Column + c)));
                uint high = (2 * step) + 1 == strip.Source.Rows
                    ? 0
                    : TElements.RoundOne(TElements.LoadOne(strip.Source.At((2 * step) + 1, strip.Column + c)));
                *to = (low >> 16) | (high & 0xFFFF0000);
            }
        }
    }

    private readonly struct Strip(
        MatrixView source, DType type, int width, int column, int columns, int first, int last, uint* to)
    {
        public readonly MatrixView Source = source;
        public readonly DType Type = type;
        public readonly int Width = width, Column = column, Columns = columns, First = first, Last = last;
        public readonly uint* To = to;

        // Whether a whole vector from this column on lies inside a stored row.
        public bool CanRead(int column) => Column + column + Lanes <= Source.Columns;
    }
}
