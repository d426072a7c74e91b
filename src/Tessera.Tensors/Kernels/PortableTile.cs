using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Tessera.Tensors.Kernels;

/// <summary>
/// Computes the sums of a tile in C#, on any processor; ARM64's 32 registers hold the four rows' sums.
/// </summary>
internal static unsafe class PortableTile
{
    public const int Rows = 4;
    public const int Columns = 16;

    /// <summary>Writes a tile's sums into <see cref="TileArguments.Partial"/>.</summary>
    public static void Compute(int rows, TileArguments* arguments)
    {
        Debug.Assert((arguments->Options & TileOptions.Suspend) != 0, "sums are finished elsewhere");
        if (rows == Rows)
        {
            FourRows(arguments);
            return;
        }

        for (int row = 0; row < rows; row++)
        {
            OneRow(arguments, row);
        }
    }

    private static void FourRows(TileArguments* arguments)
    {
        Sums row0 = First(arguments, 0), row1 = First(arguments, 1);
        Sums row2 = First(arguments, 2), row3 = First(arguments, 3);
        byte* a = (byte*)arguments->A;
        float* b = (float*)arguments->B;
        nint stride = arguments->ARowStride;
        for (nint step = 0; step < arguments->Steps; step++)
        {
            Sums columns = Sums.Load(b);
            row0 = row0.Add(*(float*)a, columns);
            row1 = row1.Add(*(float*)(a + stride), columns);
            row2 = row2.Add(*(float*)(a + (2 * stride)), columns);
            row3 = row3.Add(*(float*)(a + (3 * stride)), columns);
            a += arguments->AStep;
            b += Columns;
        }

        row0.Store(arguments->Partial);
        row1.Store(arguments->Partial + Columns);
        row2.Store(arguments->Partial + (2 * Columns));
        row3.Store(arguments->Partial + (3 * Columns));
    }

    private static void OneRow(TileArguments* arguments, int row)
    {
        Sums sums = First(arguments, row);
        byte* a = (byte*)arguments->A + (row * arguments->ARowStride);
        float* b = (float*)arguments->B;
        for (nint step = 0; step < arguments->Steps; step++)
        {
            sums = sums.Add(*(float*)a, Sums.Load(b));
            a += arguments->AStep;
            b += Columns;
        }

        sums.Store(arguments->Partial + (row * Columns));
    }

    private static Sums First(TileArguments* arguments, int row) =>
        (arguments->Options & TileOptions.Resume) != 0 ? Sums.Load(arguments->Partial + (row * Columns)) : default;

    private readonly record struct Sums(
        Vector128<float> V0, Vector128<float> V1, Vector128<float> V2, Vector128<float> V3)
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Sums Load(float* from) => new(
            Vector128.Load(from), Vector128.Load(from + 4), Vector128.Load(from + 8), Vector128.Load(from + 12));

        // One rounding where the processor fuses, two where it doesn't: the same for every element on one processor.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Sums Add(float a, Sums b)
        {
            Vector128<float> all = Vector128.Create(a);
            return new(
                Vector128.MultiplyAddEstimate(all, b.V0, V0),
                Vector128.MultiplyAddEstimate(all, b.V1, V1),
                Vector128.MultiplyAddEstimate(all, b.V2, V2),
                Vector128.MultiplyAddEstimate(all, b.V3, V3));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Store(float* to)
        {
            V0.Store(to);
            V1.Store(to + 4);
            V2.Store(to + 8);
            V3.Store(to + 12);
        }
    }
}
