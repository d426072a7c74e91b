using System.Numerics;
using Tessera.Tensors.Kernels;

namespace Tessera.Tensors;

/// <content>
/// Cross-entropy of rows of logits: lossₙ = −(1−s) log pₙ[label] − s/V Σᵥ log pₙ[v] + z · logsumexpₙ², and the loss is
/// scale · Σ weightₙ lossₙ over the rows that aren't masked.
/// </content>
public static unsafe partial class Ops
{
    /// <summary>Computes the weighted cross-entropy of <paramref name="logits"/> (N, V).</summary>
    /// <param name="logits">F32 or F64.</param>
    /// <param name="labels">N labels in [0, V), or <see cref="LossOptions.Masked"/>.</param>
    /// <param name="weights">A weight for each row; empty: 1 each.</param>
    /// <param name="scale">What the weighted sum is multiplied by; <see cref="MeanScale"/> for the mean.</param>
    /// <param name="options">Smoothing, z-loss, entropies.</param>
    public static TokenLosses CrossEntropy(
        Tensor logits, ReadOnlySpan<int> labels, ReadOnlySpan<float> weights, double scale, LossOptions? options = null)
    {
        options ??= LossOptions.Plain;
        (int N, int V) = logits.Shape;
        CheckLabels("CrossEntropy", labels, weights, N, V);
        TokenLosses losses = NewLosses(N, logits.DType, options);
        bool recorded = Tape.Running && logits.Tracked;
        Tensor? dLogits = recorded ? Tensor.Create(logits.Shape, logits.DType) : null;
        if (logits.DType == DType.F64)
        {
            CrossEntropyReference<double>(
                logits.Span<double>(), labels, weights, scale, options, losses.LogProbabilities.Span<double>(),
                losses.Entropies is null ? default : losses.Entropies.Span<double>(), losses.Loss.Span<double>(),
                dLogits is null ? default : dLogits.Span<double>());
        }
        else
        {
            TokenLossKernel kernel = new(labels, weights, scale, options, losses, N, V);
            kernel.Run((float*)logits.Data, dLogits, 0, N);
            kernel.Finish();
        }

        Tape.Record<CrossEntropyNode>(losses.Loss, logits.Tracked)?.Set(logits, dLogits!);
        return losses;
    }

    /// <summary>
    /// Returns 1 / (number of labels that aren't masked), or 0 where all are: the scale that makes a sum a mean.
    /// </summary>
    public static double MeanScale(ReadOnlySpan<int> labels)
    {
        int masked = labels.Count(LossOptions.Masked);
        return masked == labels.Length ? 0 : 1.0 / (labels.Length - masked);
    }

    /// <summary>The definition, with the gradient by the logits where <paramref name="dLogits"/> isn't empty.</summary>
    public static void CrossEntropyReference<T>(
        ReadOnlySpan<T> logits, ReadOnlySpan<int> labels, ReadOnlySpan<float> weights, double scale,
        LossOptions options, Span<T> logProbabilities, Span<T> entropies, Span<T> loss, Span<T> dLogits)
        where T : IFloatingPointIeee754<T>
    {
        int V = labels.Length == 0 ? 0 : logits.Length / labels.Length;
        T smoothing = T.CreateChecked(options.LabelSmoothing);
        T z = T.CreateChecked(options.ZLoss);
        T each = smoothing / T.CreateChecked(Math.Max(V, 1));
        T[] logs = new T[V];
        loss[0] = T.Zero;
        for (int n = 0; n < labels.Length; n++)
        {
            ReadOnlySpan<T> row = logits.Slice(n * V, V);
            SoftmaxReference(row, logs, V, logarithm: true);
            T sumOfLogs = T.Zero, entropy = T.Zero;
            foreach (T log in logs)
            {
                sumOfLogs += log;
                entropy -= T.Exp(log) > T.Zero ? T.Exp(log) * log : T.Zero;
            }

            bool masked = labels[n] == LossOptions.Masked;
            T share = masked ? T.Zero : T.CreateChecked(scale) * T.CreateChecked(weights.IsEmpty ? 1 : weights[n]);
            T logsumexp = masked ? T.Zero : row[labels[n]] - logs[labels[n]];
            logProbabilities[n] = masked ? T.Zero : logs[labels[n]];
            if (!masked)
            {
                // Without smoothing, a logit of −∞ that isn't the label's does no harm.
                T smoothed = each == T.Zero ? T.Zero : each * sumOfLogs;
                loss[0] += share
                    * ((-(T.One - smoothing) * logProbabilities[n]) - smoothed + (z * logsumexp * logsumexp));
            }

            if (!entropies.IsEmpty)
            {
                entropies[n] = entropy;
            }

            for (int v = 0; v < V && !dLogits.IsEmpty; v++)
            {
                T target = each + (v == labels[n] ? T.One - smoothing : T.Zero);
                dLogits[(n * V) + v] = masked
                    ? T.Zero
                    : share * ((T.Exp(logs[v]) * (T.One + (T.CreateChecked(2) * z * logsumexp))) - target);
            }
        }
    }

    private static TokenLosses NewLosses(int N, DType type, LossOptions options) => new(
        Tensor.Zeros(new Shape(), type), Tensor.Create(new Shape(N), type),
        options.Entropies ? Tensor.Create(new Shape(N), type) : null);

    private static void CheckLabels(
        string operation, ReadOnlySpan<int> labels, ReadOnlySpan<float> weights, int N, int V)
    {
        if (labels.Length != N || (weights.Length != N && !weights.IsEmpty))
        {
            throw new ArgumentException(
                $"{operation}: {N} rows with {labels.Length} labels and {weights.Length} weights");
        }

        for (int n = 0; n < N; n++)
        {
            if ((uint)labels[n] >= (uint)V && labels[n] != LossOptions.Masked)
            {
                throw new ArgumentException($"{operation}: label {labels[n]} of row {n}, the vocabulary has {V}");
            }
        }
    }

    private sealed class CrossEntropyNode : TapeNode
    {
        private Tensor _logits = null!;
        private Tensor _dLogits = null!;

        public override bool OutputEndsWithBackward => false;

        public void Set(Tensor logits, Tensor dLogits) => (_logits, _dLogits) = (logits, dLogits);

        public override void Backward()
        {
            Tensor upstream = Output.Gradient!, to = _logits.GradientToWrite(out bool accumulate);
            if (!accumulate)
            {
                to.Clear();
            }

            if (to.DType == DType.F64)
            {
                Axpy<double>(upstream.Span<double>()[0], _dLogits.Span<double>(), to.Span<double>());
            }
            else
            {
                Axpy<float>(upstream.Span<float>()[0], _dLogits.Span<float>(), to.Span<float>());
            }
        }

        public override void Return()
        {
            (_logits, _dLogits) = (null!, null!);
            Give(this);
        }
    }

    private static void Axpy<T>(T scale, ReadOnlySpan<T> x, Span<T> y)
        where T : INumber<T>
    {
        for (int i = 0; i < x.Length; i++)
        {
            y[i] += scale * x[i];
        }
    }
}
