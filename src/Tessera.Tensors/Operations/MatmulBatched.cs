using System.Numerics;
using Tessera.Tensors.Kernels;

namespace Tessera.Tensors;

/// <content>Batched matrix product: y[b] = a[b] · b[b].</content>
public static unsafe partial class Ops
{
    /// <summary>
    /// Multiplies <paramref name="a"/> (B, M, K) by <paramref name="b"/> (B, K, N), both F32 or both F64.
    /// </summary>
    /// <returns>A tensor (B, M, N).</returns>
    /// <exception cref="ArgumentException">The batches or inner sizes differ.</exception>
    public static Tensor MatmulBatched(Tensor a, Tensor b)
    {
        (int B, int M, int K) = a.Shape;
        (int batches, int inner, int N) = b.Shape;
        if (batches != B || inner != K || a.DType != b.DType)
        {
            throw new ArgumentException(
                $"MatmulBatched: {a} x {b}: batches {B} and {batches}, inner sizes {K} and {inner}");
        }

        Tensor y = Tensor.Create(new Shape(B, M, N), a.DType);
        for (int i = 0; i < B; i++)
        {
            Product(a, i, false, b, i, false, y, i, accumulate: false);
        }

        Tape.Record<MatmulNode>(y, a.Tracked || b.Tracked)?.Set(a, b);
        return y;
    }

    /// <summary>The definition of one product, of either operand or of its transpose.</summary>
    public static void MatmulReference<T>(
        ReadOnlySpan<T> a, bool aTransposed, ReadOnlySpan<T> b, bool bTransposed, Span<T> y, int rows, int inner,
        int columns, bool accumulate)
        where T : IFloatingPointIeee754<T>
    {
        for (int m = 0; m < rows; m++)
        {
            for (int n = 0; n < columns; n++)
            {
                T sum = T.Zero;
                for (int k = 0; k < inner; k++)
                {
                    sum += a[aTransposed ? (k * rows) + m : (m * inner) + k]
                        * b[bTransposed ? (n * inner) + k : (k * columns) + n];
                }

                y[(m * columns) + n] = accumulate ? y[(m * columns) + n] + sum : sum;
            }
        }
    }

    private static void Product(
        Tensor a, int i, bool aTurned, Tensor b, int j, bool bTurned, Tensor y, int at, bool accumulate)
    {
        (_, int rows, int columns) = y.Shape;
        int inner = aTurned ? a.Shape[1] : a.Shape[2];
        if (a.DType == DType.F64)
        {
            MatmulReference<double>(
                Batch<double>(a, i), aTurned, Batch<double>(b, j), bTurned, Batch<double>(y, at), rows, inner, columns,
                accumulate);
            return;
        }

        Matmul.Multiply(
            Batch(a, i, aTurned), Batch(b, j, bTurned), Batch(y, at, false), new() { Accumulate = accumulate });
    }

    private static Span<T> Batch<T>(Tensor x, int i)
        where T : unmanaged
    {
        int size = x.Shape[1] * x.Shape[2];
        return x.Span<T>().Slice(i * size, size);
    }

    private static MatrixView Batch(Tensor x, int i, bool turned)
    {
        (_, int rows, int columns) = x.Shape;
        byte* data = (byte*)x.Data + ((long)i * rows * columns * x.DType.Size());
        MatrixView view = new(data, x.DType, rows, columns, columns);
        return turned ? view.Transpose() : view;
    }

    private sealed class MatmulNode : TapeNode
    {
        private Tensor _a = null!;
        private Tensor _b = null!;

        public void Set(Tensor a, Tensor b) => (_a, _b) = (a, b);

        public override void Backward()
        {
            Tensor dy = Output.Gradient!;
            bool addA = false, addB = false;
            Tensor? da = _a.Tracked ? _a.GradientToWrite(out addA) : null;
            Tensor? db = _b.Tracked ? _b.GradientToWrite(out addB) : null;
            for (int i = 0; i < dy.Shape[0]; i++)
            {
                if (da is not null)
                {
                    Product(dy, i, false, _b, i, true, da, i, addA);
                }

                if (db is not null)
                {
                    Product(_a, i, true, dy, i, false, db, i, addB);
                }
            }
        }

        public override void Return()
        {
            (_a, _b) = (null!, null!);
            Give(this);
        }
    }
}
