using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Tessera.Tensors.Threading;

namespace Tessera.Tensors.Kernels;

/// <summary>
/// Turns rows of float32 logits into each row's log-probability, loss and, where wanted, the gradient of the weighted
/// sum by the logits. Rows come in chunks, so that all logits of a batch need never stand in memory at once.
/// </summary>
internal unsafe struct TokenLossKernel : IParallelBody
{
    private readonly float _scaleOfTarget;
    private readonly float _eachTarget;
    private readonly float _z;
    private readonly int _columns;
    private readonly TokenLosses _losses;
    private readonly Tensor _labels;
    private readonly Tensor _shares;
    private readonly Tensor _rowLosses;
    private RowPartition _rows;
    private float* _logits;
    private void* _gradient;
    private bool _gradientInBFloat16;
    private int _firstRow;

    /// <summary>Takes the labels and each row's share scale · weight in the loss; a masked row's share is 0.</summary>
    public TokenLossKernel(
        ReadOnlySpan<int> labels, ReadOnlySpan<float> weights, double scale, LossOptions options, TokenLosses losses,
        int N, int V)
    {
        _scaleOfTarget = (float)(1 - options.LabelSmoothing);
        _eachTarget = (float)(options.LabelSmoothing / Math.Max(V, 1));
        _z = (float)options.ZLoss;
        _columns = V;
        _losses = losses;
        _labels = Tensor.From(new Shape(N), labels);
        _shares = Tensor.Create(new Shape(N), DType.F32);
        _rowLosses = Tensor.Create(new Shape(N), DType.F32);
        Span<float> shares = _shares.Span<float>();
        for (int n = 0; n < N; n++)
        {
            double weight = labels[n] == LossOptions.Masked ? 0 : weights.IsEmpty ? 1 : weights[n];
            shares[n] = (float)(scale * weight);
        }
    }

    /// <summary>
    /// Gets each row's share of the loss: its upstream gradient, which may be overwritten before
    /// <see cref="Run(float*, Tensor?, int, int)"/>.
    /// </summary>
    public readonly Tensor Shares => _shares;

    /// <summary>Handles <paramref name="count"/> rows from <paramref name="firstRow"/> on.</summary>
    /// <param name="logits">The chunk's logits (count, V).</param>
    /// <param name="gradient">Where their gradient goes (at least count, V), in F32 or BF16, or null.</param>
    /// <param name="firstRow">The chunk's first row in the batch.</param>
    /// <param name="count">The rows of the chunk.</param>
    public void Run(float* logits, Tensor? gradient, int firstRow, int count)
    {
        _rows = new RowPartition(count, _columns);
        _logits = logits;
        _gradient = gradient is null ? null : gradient.Data;
        _gradientInBFloat16 = gradient is { DType: DType.BF16 };
        _firstRow = firstRow;
        Workers.Run(_rows.Items, ref this);
    }

    /// <summary>Adds up the rows' losses, in order and in double.</summary>
    public readonly void Finish()
    {
        double sum = 0;
        foreach (float loss in _rowLosses.Span<float>())
        {
            sum += loss;
        }

        _losses.Loss.Span<float>()[0] = (float)sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public readonly void Run(int index)
    {
        (int first, int end) = _rows.Item(index);
        for (long row = first; row < end; row++)
        {
            Row(_logits + (row * _columns), row);
        }
    }

    private readonly void Row(float* x, long rowInChunk)
    {
        int row = _firstRow + (int)rowInChunk, label = _labels.Span<int>()[row];
        long V = _columns;
        bool masked = label == LossOptions.Masked;
        float share = _shares.Span<float>()[row];
        (float logsumexp, float sumOfLogits) = LogSumExp(x, V);
        float logProbability = masked ? 0 : x[label] - logsumexp;
        _losses.LogProbabilities.Span<float>()[row] = logProbability;

        // Σᵥ log p = Σᵥ x − V · logsumexp; skipped where it has no weight, so that −∞ logits do no harm.
        float smoothed = _eachTarget == 0 ? 0 : _eachTarget * (sumOfLogits - (V * logsumexp));
        _rowLosses.Span<float>()[row] = masked
            ? 0
            : share * ((-_scaleOfTarget * logProbability) - smoothed + (_z * logsumexp * logsumexp));
        if (_losses.Entropies is { } entropies)
        {
            entropies.Span<float>()[row] = Entropy(x, V, logsumexp);
        }

        if (_gradient is not null)
        {
            if (_gradientInBFloat16)
            {
                Gradient<Brain16>(x, rowInChunk * V, masked ? -1 : label, logsumexp, share);
            }
            else
            {
                Gradient<Single32>(x, rowInChunk * V, masked ? -1 : label, logsumexp, share);
            }
        }
    }

    [MethodImpl(Compiled.Alone)]
    private static (float LogSumExp, float Sum) LogSumExp(float* x, long V)
    {
        Vector512<float> max = Vector512.Create(float.NegativeInfinity);
        Vector512<float> sum = Vector512<float>.Zero;
        Vector512<float> plain = Vector512<float>.Zero;
        for (long v = 0; v < V; v += IElement.Lanes)
        {
            // A NaN is lost here (and found in the sum); to keep it would take ten instructions where one does.
            max = Vector512.MaxNative(Lanes.Load<Single32>(x, v, V, float.NegativeInfinity), max);
        }

        float most = VectorMath.Max(max);
        Vector512<float> mosts = Vector512.Create(most);
        for (long v = 0; v < V; v += IElement.Lanes)
        {
            sum += VectorMath.Exp(Lanes.Load<Single32>(x, v, V, float.NegativeInfinity) - mosts);
            plain += Lanes.Load<Single32>(x, v, V);
        }

        return (most + MathF.Log(Vector512.Sum(sum)), Vector512.Sum(plain));
    }

    [MethodImpl(Compiled.Alone)]
    private static float Entropy(float* x, long V, float logsumexp)
    {
        Vector512<float> sum = Vector512<float>.Zero, logs = Vector512.Create(logsumexp);
        for (long v = 0; v < V; v += IElement.Lanes)
        {
            Vector512<float> log = Lanes.Load<Single32>(x, v, V, float.NegativeInfinity) - logs;
            Vector512<float> p = VectorMath.Exp(log);

            // p log p goes to 0 where p does; 0 · −∞ would be NaN.
            sum -= Vector512.ConditionalSelect(
                Vector512.GreaterThan(p, Vector512<float>.Zero), p * log, Vector512<float>.Zero);
        }

        return Vector512.Sum(sum);
    }

    [MethodImpl(Compiled.Alone)]
    private readonly void Gradient<T>(float* x, long at, int label, float logsumexp, float share)
        where T : struct, IElement
    {
        long V = _columns;
        Vector512<float> logs = Vector512.Create(logsumexp), each = Vector512.Create(_eachTarget * share);
        Vector512<float> scale = Vector512.Create(share * (1 + (2 * _z * logsumexp)));
        if (label < 0)
        {
            (scale, each) = (Vector512<float>.Zero, Vector512<float>.Zero);
        }

        // The label's own entry is computed first: its logit may be overwritten (the gradient may take the logits'
        // place).
        float own = label < 0 ? 0 : x[label];
        for (long v = 0; v < V; v += IElement.Lanes)
        {
            Vector512<float> p = VectorMath.Exp(Lanes.Load<Single32>(x, v, V, float.NegativeInfinity) - logs);
            Lanes.Store<T>(_gradient, at + v, at + V, label < 0 ? Vector512<float>.Zero : (p * scale) - each);
        }

        if (label >= 0)
        {
            float target = share * (_scaleOfTarget + _eachTarget);
            float slope = (MathF.Exp(own - logsumexp) * scale[0]) - target;
            T.StorePart(_gradient, at + label, 1, Vector512.CreateScalar(slope));
        }
    }
}
