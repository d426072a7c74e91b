using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Tessera.Tensors.Kernels;

/// <summary>
/// Packs panels of a matrix that is stored column by column: squares of 8 columns × 8 steps are turned in registers.
/// </summary>
internal static unsafe class TransposedPacking
{
    private const int Lanes = 8;

    /// <summary>Packs some steps of all panels; columns and rows that the matrix has not become zero.</summary>
    public static void Pack<TElements>(in Strip strip, int first, int last)
        where TElements : struct, IElements
    {
        for (int panel = 0; panel < strip.Panels; panel++)
        {
            int columns = Math.Clamp(strip.Source.Columns - strip.Column(panel), 0, strip.Width);
            if (columns < strip.Width)
            {
                new Span<uint>(strip.Step(panel, first), (last - first) * strip.Width).Clear();
            }

            int squares = Avx.IsSupported ? Math.Min(last, strip.WholeSteps) : first;
            int step = first;
            for (; step + Lanes <= squares; step += Lanes)
            {
                int column = 0;
                for (; column + Lanes <= columns; column += Lanes)
                {
                    TurnSquare<TElements>(in strip, panel, column, step);
                }

                PackOneByOne<TElements>(in strip, panel, column, columns, step, step + Lanes);
            }

            PackOneByOne<TElements>(in strip, panel, 0, columns, step, last);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TurnSquare<TElements>(in Strip strip, int panel, int column, int step)
        where TElements : struct, IElements
    {
        bool pairs = strip.HasPairs;
        byte* from = strip.Source.At(pairs ? 2 * step : step, strip.Column(panel) + column);
        nint stride = (nint)strip.Source.Stride * TElements.Bytes;
        Vector256<uint> r0 = Load(0), r1 = Load(1), r2 = Load(2), r3 = Load(3);
        Vector256<uint> r4 = Load(4), r5 = Load(5), r6 = Load(6), r7 = Load(7);
        (Vector256<uint> p0, Vector256<uint> p1, Vector256<uint> p2, Vector256<uint> p3) = TurnLanes(r0, r1, r2, r3);
        (Vector256<uint> q0, Vector256<uint> q1, Vector256<uint> q2, Vector256<uint> q3) = TurnLanes(r4, r5, r6, r7);
        uint* to = strip.Step(panel, step) + column;
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
        Vector256<uint> Load(int row) => pairs
            ? TElements.Load8Pairs(from + (row * stride))
            : TElements.Load8(from + (row * stride));
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

    private static void PackOneByOne<TElements>(in Strip strip, int panel, int column, int columns, int first, int last)
        where TElements : struct, IElements
    {
        int start = strip.Column(panel);
        for (int c = column; c < columns; c++)
        {
            for (int step = first; step < last; step++)
            {
                uint* to = strip.Step(panel, step) + c;
                if (!strip.HasPairs)
                {
                    *to = TElements.Load(strip.Source.At(step, start + c));
                    continue;
                }

                uint low = TElements.Round(TElements.Load(strip.Source.At(2 * step, start + c)));
                uint high = step < strip.WholeSteps
                    ? TElements.Round(TElements.Load(strip.Source.At((2 * step) + 1, start + c)))
                    : 0;
                *to = (low >> 16) | (high & 0xFFFF0000);
            }
        }
    }
}
