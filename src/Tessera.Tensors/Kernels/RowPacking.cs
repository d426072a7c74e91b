using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Tessera.Tensors.Kernels;

/// <summary>Copies rows of the left operand, widened or rounded, into dense rows that a tile can read.</summary>
internal static unsafe class RowPacking
{
    /// <summary>Packs some rows of a matrix that isn't transposed.</summary>
    public static void Pack(MatrixView source, DType type, int row, int rows, byte* to, nint stride)
    {
        int count = source.Columns;
        for (int r = 0; r < rows; r++, to += stride)
        {
            byte* elements = source.At(row + r, 0);
            if (type == source.Type)
            {
                Buffer.MemoryCopy(elements, to, stride, (long)count * source.ElementBytes);
            }
            else if (type == DType.BF16)
            {
                Round(elements, count, (ushort*)to);
            }
            else
            {
                Widen(elements, count, (uint*)to);
            }

            if (type == DType.BF16 && count % 2 != 0)
            {
                ((ushort*)to)[count] = 0; // the missing half of the last pair
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Round(byte* from, int count, ushort* to)
    {
        int i = 0;
        for (; i + 16 <= count; i += 16)
        {
            Singles.Load8Pairs(from + (i * sizeof(float))).AsUInt16().Store(to + i);
        }

        for (; i < count; i++)
        {
            to[i] = (ushort)(Singles.Round(Singles.Load(from + (i * sizeof(float)))) >> 16);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Widen(byte* from, int count, uint* to)
    {
        int i = 0;
        for (; i + 16 <= count; i += 16)
        {
            BFloat16s.Load16(from + (i * sizeof(ushort))).Store(to + i);
        }

        for (; i < count; i++)
        {
            to[i] = BFloat16s.Load(from + (i * sizeof(ushort)));
        }
    }
}
