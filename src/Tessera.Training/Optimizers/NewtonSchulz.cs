using Tessera.Tensors;
using Tessera.Tensors.Kernels;

namespace Tessera.Training.Optimizers;

/// <summary>
/// Brings the singular values of a matrix near 1 by five steps of an odd polynomial
/// (kellerjordan.github.io/posts/muon): X ← a X + (b A + c A²) X with A = X Xᵀ.
/// </summary>
public static class NewtonSchulz
{
    private const double A = 3.4445;
    private const double B = -4.7750;
    private const double C = 2.0315;
    private const int Steps = 5;
    private const double SmallestNorm = 1e-7;

    /// <summary>Replaces <paramref name="matrix"/> (rows, columns), F32, by its orthogonalised form.</summary>
    /// <param name="matrix">The matrix; overwritten.</param>
    /// <param name="type">What products are computed in: F32 or BF16.</param>
    public static void Orthogonalise(Tensor matrix, DType type = DType.F32)
    {
        using TensorScope scope = TensorScope.Begin();
        (int rows, int columns) = matrix.Shape;
        bool tall = rows > columns;

        // The short side's Gram matrix is the cheaper one: a tall matrix is read as its transpose.
        int small = tall ? columns : rows, large = tall ? rows : columns;
        double norm = Math.Max(Math.Sqrt(Ops.SumOfSquares(matrix)), SmallestNorm);
        Tensor x = Tensor.Create(new Shape(small, large), DType.F32);
        Copy(matrix, x, tall);
        Ops.ScaleAndAdd(x, 1 / norm, x, 0);
        Tensor gram = Tensor.Create(new Shape(small, small), DType.F32), square = Tensor.Create(gram.Shape, DType.F32);
        Tensor next = Tensor.Create(x.Shape, DType.F32);
        MatmulOptions options = new() { RoundToBFloat16 = type == DType.BF16 };
        for (int step = 0; step < Steps; step++)
        {
            Matmul.Multiply(View(x), View(x).Transpose(), View(gram), options);
            Matmul.Multiply(View(gram), View(gram), View(square), options);
            Ops.ScaleAndAdd(gram, B, square, C);
            Matmul.Multiply(View(square), View(x), View(next), options);
            Ops.ScaleAndAdd(x, A, next, 1);
            (x, next) = (next, x);
        }

        Copy(x, matrix, tall);
    }

    private static unsafe MatrixView View(Tensor x) => new(x.Data, DType.F32, x.Shape[0], x.Shape[1], x.Shape[1]);

    private static void Copy(Tensor from, Tensor to, bool transposed)
    {
        (int rows, int columns) = to.Shape;
        ReadOnlySpan<float> source = from.Span<float>();
        Span<float> target = to.Span<float>();
        if (!transposed)
        {
            source.CopyTo(target);
            return;
        }

        for (int r = 0; r < rows; r++)
        {
            for (int c = 0; c < columns; c++)
            {
                target[(r * columns) + c] = source[(c * rows) + r];
            }
        }
    }
}
