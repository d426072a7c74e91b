using System.Runtime.Intrinsics;

namespace Tessera.Tensors.Kernels;

/// <summary>Copies rows of the left operand, widened or rounded, into dense rows that a tile can read.</summary>
internal static unsafe class RowPacking
{
    /// <summary>Packs steps <paramref name="first"/> to <paramref name="last"/> of the given rows of a matrix that isn't transposed.</summary>
    public static void Pack(MatrixView source, DType type, int row, int rows, int first, int last, byte* to, nint stride)
    {
        int scale = type == DType.BF16 ? 2 : 1;
        int from = first * scale;
        int count = Math.Min(last * scale, source.Columns) - from;
        for (int r = 0; r < rows; r++, to += stride)
        {
            byte* elements = source.At(row + r, from);
            if (type == source.Type)
            {
                Buffer.MemoryCopy(elements, to, count * source.ElementBytes, count * source.ElementBytes);
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

    private static void Round(byte* from, int count, ushort* to)
    {
        int i = 0;
        for (; i + 16 <= count; i += 16)
        {
            Singles.LoadPairs(from + (i * sizeof(float))).AsUInt16().Store(to + i);
        }

        for (; i < count; i++)
        {
            to[i] = (ushort)(Singles.RoundOne(Singles.LoadOne(from + (i * sizeof(float)))) >> 16);
        }
    }

    private static void Widen(byte* from, int count, uint* to)
    {
        int i = 0;
        for (; i + 8 <= count; i += 8)
        {
            BFloat16s.Load(from + (i * sizeof(ushort))).Store(to + i);
        }

        for (; i < count; i++)
        {
            to[i] = BFloat16s.LoadOne(from + (i * sizeof(ushort)));
        }
    }
}
