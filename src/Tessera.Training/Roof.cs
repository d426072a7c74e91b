using Tessera.Tensors;
using Tessera.Tensors.Kernels;

namespace Tessera.Training;

/// <summary>Measures what the matrix product reaches here and now, which a run's speed is shown as a share of.</summary>
public static class Roof
{
    // Large enough for the product to run at its peak, small enough to take a fraction of a second on one core.
    private const int Size = 1024;
    private const int Repeats = 8;

    /// <summary>Returns the best of a few products of 1024 × 1024 matrices, in operations a second.</summary>
    public static unsafe double Measure(DType type, TimeProvider time)
    {
        using TensorScope scope = TensorScope.Begin();
        Tensor a = Tensor.Zeros(new Shape(Size, Size), type), c = Tensor.Create(a.Shape, DType.F32);
        MatrixView view = new(a.Data, type, Size, Size, Size), to = new(c.Data, DType.F32, Size, Size, Size);
        using PackedMatrix packed = new();
        Matmul.Pack(view, packed);
        double best = 0;
        for (int i = 0; i < Repeats; i++)
        {
            long start = time.GetTimestamp();
            Matmul.Multiply(view, packed, to);
            best = Math.Max(best, 2.0 * Size * Size * Size / Math.Max(time.GetElapsedTime(start).TotalSeconds, 1e-9));
        }

        return best;
    }
}
