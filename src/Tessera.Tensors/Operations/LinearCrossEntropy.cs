using Tessera.Tensors.Kernels;

namespace Tessera.Tensors;

/// <content>
/// The output projection and its cross-entropy as one operation: logits = x · Wᵀ are made, used and forgotten chunk by
/// chunk of rows, so that all logits of a batch never stand in memory. (Cut Your Losses, arXiv 2411.09009, has the
/// idea.)
/// </content>
public static unsafe partial class Ops
{
    // A chunk's logits take at most this much: enough rows that the products run at full speed and the weight's
    // gradient is read and written few times, little beside a model. The chunk depends on the vocabulary alone, so bits
    // don't change.
    private const long BytesOfLogits = 32L << 20;

    /// <summary>
    /// Computes the weighted cross-entropy of the logits x · Wᵀ, and, while a tape runs, the gradient in the same pass:
    /// each row's weight and the scale are its upstream gradient, so the loss must enter what is minimised with factor
    /// 1.
    /// </summary>
    /// <param name="x">(N, C), in the weight's compute type.</param>
    /// <param name="weight">The output matrix (V, C), or (C, V) where it is stored input-major.</param>
    /// <param name="labels">N labels, or <see cref="LossOptions.Masked"/>.</param>
    /// <param name="weights">A weight for each row; empty: 1 each.</param>
    /// <param name="scale">What the weighted sum is multiplied by.</param>
    /// <param name="options">Smoothing, z-loss, entropies.</param>
    public static TokenLosses LinearCrossEntropy(
        Tensor x, Parameter weight, ReadOnlySpan<int> labels, ReadOnlySpan<float> weights, double scale,
        LossOptions? options = null)
    {
        options ??= LossOptions.Plain;
        if (x.DType == DType.F64)
        {
            return CrossEntropy(Linear(x, weight), labels, weights, scale, options);
        }

        int N = x.Shape.Rows, V = OutputAndInput(weight).Outputs;
        CheckLabels("LinearCrossEntropy", labels, weights, N, V);
        TokenLosses losses = NewLosses(N, DType.F32, options);
        LinearLossNode? node = Tape.Record<LinearLossNode>(losses.Loss, x.Tracked || !weight.Frozen);
        TokenLossKernel kernel = new(labels, weights, scale, options, losses, N, V);
        Tensor? dx = node is null ? null : Tensor.Create(x.Shape, DType.F32);
        OverChunks(x, weight, ref kernel, dx, gradient: node is not null);
        kernel.Finish();
        node?.Set(x, dx!);
        return losses;
    }

    /// <summary>
    /// Returns each row's log-probability of its label (N), 0 where masked, under the logits x · Wᵀ. Its gradient comes
    /// from upstream: the logits are computed a second time on the way back, so any function of log-probabilities can
    /// be minimised.
    /// </summary>
    /// <param name="x">(N, C), in the weight's compute type.</param>
    /// <param name="weight">The output matrix (V, C), or (C, V) where it is stored input-major.</param>
    /// <param name="labels">N labels, or <see cref="LossOptions.Masked"/>.</param>
    public static Tensor LinearLogProbabilities(Tensor x, Parameter weight, ReadOnlySpan<int> labels)
    {
        int N = x.Shape.Rows, V = OutputAndInput(weight).Outputs;
        CheckLabels("LinearLogProbabilities", labels, default, N, V);
        TokenLosses losses = NewLosses(N, DType.F32, LossOptions.Plain);
        TokenLossKernel kernel = new(labels, default, 1, LossOptions.Plain, losses, N, V);
        OverChunks(x, weight, ref kernel, null, gradient: false);
        Tape.Record<LogProbabilityNode>(losses.LogProbabilities, x.Tracked || !weight.Frozen)?.Set(x, weight, labels);
        return losses.LogProbabilities;
    }

    private static void OverChunks(Tensor x, Parameter weight, ref TokenLossKernel kernel, Tensor? dx, bool gradient)
    {
        using TensorScope chunks = TensorScope.Begin();
        int N = x.Shape.Rows, V = OutputAndInput(weight).Outputs;
        int rowsInChunk = (int)Math.Clamp(BytesOfLogits / (4L * V), 1, Math.Max(N, 1));
        bool brain = weight.ComputeType == DType.BF16;
        Tensor logits = Tensor.Create(new Shape(rowsInChunk, V), DType.F32);
        Tensor? dLogits = !gradient ? null : brain ? Tensor.Create(logits.Shape, DType.BF16) : logits;
        for (int first = 0; first < N; first += rowsInChunk)
        {
            int count = Math.Min(rowsInChunk, N - first);
            MatrixView rows = Part(x, first, count), chunk = Part(logits, 0, count);
            Matmul.Multiply(rows, weight.ForwardPanels(), chunk, default);
            kernel.Run((float*)logits.Data, dLogits, first, count);
            if (!gradient)
            {
                continue;
            }

            MatrixView d = Part(dLogits!, 0, count);
            if (dx is not null && x.Tracked)
            {
                Matmul.Multiply(d, weight.BackwardPanels(), Part(dx, first, count), default);
            }

            if (!weight.Frozen)
            {
                AddMatrixGradient(weight, rows, d);
            }
        }
    }

    private static MatrixView Part(Tensor x, int firstRow, int rows)
    {
        int C = x.Shape.Columns;
        return new((byte*)x.Data + ((long)firstRow * C * x.DType.Size()), x.DType, rows, C, C);
    }

    private sealed class LinearLossNode : TapeNode
    {
        private Tensor _x = null!;
        private Tensor _dx = null!;

        public override bool OutputEndsWithBackward => false;

        public void Set(Tensor x, Tensor dx) => (_x, _dx) = (x, dx);

        public override void Backward()
        {
            float upstream = Output.Gradient!.Span<float>()[0];
            if (upstream != 1)
            {
                throw new InvalidOperationException(
                    $"LinearCrossEntropy: the gradient arriving is {upstream}, and 1 was assumed when it was "
                    + "computed; give the factor as scale");
            }

            if (_x.Tracked)
            {
                GiveGradient(_dx, _x);
            }
        }

        public override void Return()
        {
            (_x, _dx) = (null!, null!);
            Give(this);
        }
    }

    private sealed class LogProbabilityNode : TapeNode
    {
        private Tensor _x = null!;
        private Parameter _weight = null!;
        private Tensor _labels = null!;

        public override bool OutputEndsWithBackward => false;

        public void Set(Tensor x, Parameter weight, ReadOnlySpan<int> labels) =>
            (_x, _weight, _labels) = (x, weight, Tensor.From(new Shape(labels.Length), labels));

        public override void Backward()
        {
            int N = _x.Shape.Rows;
            Tensor dx = Tensor.Create(_x.Shape, DType.F32);
            TokenLosses losses = NewLosses(N, DType.F32, LossOptions.Plain);

            // The kernel's loss is minus the log-probability, so a row's share is minus what arrives from upstream.
            TokenLossKernel kernel = new(
                _labels.Span<int>(), default, 1, LossOptions.Plain, losses, N, OutputAndInput(_weight).Outputs);
            Span<float> shares = kernel.Shares.Span<float>(), upstream = Output.Gradient!.Span<float>();
            for (int n = 0; n < N; n++)
            {
                shares[n] *= -upstream[n];
            }

            OverChunks(_x, _weight, ref kernel, dx, gradient: true);
            if (_x.Tracked)
            {
                GiveGradient(dx, _x);
            }
        }

        public override void Return()
        {
            (_x, _weight, _labels) = (null!, null!, null!);
            Give(this);
        }
    }
}
