using Tessera.Tensors.Kernels;

namespace Tessera.Tensors;

/// <content>
/// Attention: y = softmax(mask(cap(scale · q kᵀ))) v for each head (arXiv 1706.03762), causal within each sequence and
/// none across sequences; a window, a cap on the scores (arXiv 2408.00118) and sinks (arXiv 2309.17453, as learned
/// logits) are optional.
/// </content>
public static unsafe partial class Ops
{
    /// <summary>
    /// Computes causal attention of the rows of <paramref name="segments"/> over their sequences. With a cache, keys
    /// and values are read from it: append the batch's first.
    /// </summary>
    /// <param name="q">Queries (N, H, D): F32, BF16 or F64.</param>
    /// <param name="k">Keys (N, K, D) of the same type; H is a multiple of K.</param>
    /// <param name="v">Values (N, K, D) of the same type.</param>
    /// <param name="segments">Which rows make a sequence, and the blocks of its past.</param>
    /// <param name="options">Scale, window and cap; the plain form where they aren't given.</param>
    /// <param name="cache">Past keys and values, the batch's own included; without one, no segment has a past.</param>
    /// <param name="layer">The layer of the cache to read.</param>
    /// <param name="sinks">One logit a head (H) that joins each row's denominator.</param>
    /// <returns>The result (N, H, D) of q's type.</returns>
    /// <exception cref="ArgumentException">
    /// Shapes or types don't fit, or a segment has a past and there is no cache.
    /// </exception>
    /// <exception cref="InvalidOperationException">
    /// A tape runs and there is a cache: its gradient would be lost.
    /// </exception>
    public static Tensor Attention(
        Tensor q, Tensor k, Tensor v, Segments segments, AttentionOptions? options = null,
        KeyValueCache? cache = null, int layer = 0, Parameter? sinks = null)
    {
        RequireAttention(q, k, v, segments, cache, layer, sinks);
        options ??= AttentionOptions.Default;
        Tensor y = Tensor.Create(q.Shape, q.DType);
        bool tracked = q.Tracked || k.Tracked || v.Tracked || sinks is { Frozen: false };
        if (cache is not null && tracked && Tape.Running)
        {
            throw new InvalidOperationException(
                "Attention: a tape runs; gradients don't reach the cache, so train without one");
        }

        AttentionNode? node = Tape.Record<AttentionNode>(y, tracked);
        node?.Set(q, k, v, segments, options, sinks);
        if (q.DType == DType.F64)
        {
            AttentionByDefinition.Forward(q, k, v, segments, options, cache, layer, sinks, y);
            return y;
        }

        Tensor? logits = sinks is null ? null : AttentionSinks(sinks);
        Tensor? logSums = node is null ? null : Tensor.Create(new Shape(q.Shape[0], q.Shape[1]), DType.F32);
        AttentionCall call = new(q, k, v, segments, options, cache, layer)
        {
            Y = y.Data,
            LogSums = logSums is null ? null : (float*)logSums.Data,
            Sinks = logits is null ? null : (float*)logits.Data,
        };
        AttentionForward.Run(in call);
        logits?.Recycle();
        node?.Keep(logSums);
        return y;
    }

    private static Tensor AttentionSinks(Parameter sinks)
    {
        Tensor logits = Tensor.Create(sinks.Shape, DType.F32);
        for (int h = 0; h < sinks.Shape.Count; h++)
        {
            float logit = sinks.Value.DType == DType.BF16
                ? sinks.Value.Span<BFloat16>()[h]
                : sinks.Value.Span<float>()[h];
            logits.Span<float>()[h] = (float)(logit * AttentionCall.Log2E);
        }

        return logits;
    }

    private static void RequireAttention(
        Tensor q, Tensor k, Tensor v, Segments segments, KeyValueCache? cache, int layer, Parameter? sinks)
    {
        (int N, int H, int D) = q.Shape;
        (int keyRows, int K, int keySize) = k.Shape;
        if (k.Shape != v.Shape || keyRows != N || keySize != D || K == 0 || H == 0 || D == 0 || H % K != 0 ||
            segments.Rows != N)
        {
            throw new ArgumentException(
                $"Attention: queries {q.Shape}, keys {k.Shape} and values {v.Shape} over segments of " +
                $"{segments.Rows} rows; wanted (N,H,D) and twice (N,K,D), H a multiple of K");
        }

        if (q.DType is not (DType.F32 or DType.BF16 or DType.F64) || k.DType != q.DType || v.DType != q.DType)
        {
            throw new ArgumentException(
                $"Attention: queries are {q.DType}, keys {k.DType} and values {v.DType}; " +
                "wanted one of F32, BF16 and F64");
        }

        if (sinks is not null && sinks.Shape != new Shape(H))
        {
            throw new ArgumentException($"Attention: {sinks.Name} is {sinks.Shape}, {H} heads want ({H})");
        }

        if (cache is not null)
        {
            RequireCache(cache, layer, segments, q.DType, K, D);
            return;
        }

        for (int i = 0; i < segments.Count; i++)
        {
            if (segments.Past(i) != 0)
            {
                throw new ArgumentException(
                    $"Attention: segment {i} has {segments.Past(i)} past positions; without a cache there can be none");
            }
        }
    }

    private static void RequireCache(KeyValueCache cache, int layer, Segments segments, DType type, int K, int D)
    {
        KeyValueCacheSize size = cache.Size;
        if (size.KeyHeads != K || size.HeadSize != D || (size.Type == DType.F64) != (type == DType.F64))
        {
            throw new ArgumentException(
                $"Attention: {K} key heads of {D} in {type}; " +
                $"the cache holds {size.KeyHeads} of {size.HeadSize} in {size.Type}");
        }

        cache.Require(layer, segments);
    }

    private sealed class AttentionNode : TapeNode
    {
        private Tensor _q = null!;
        private Tensor _k = null!;
        private Tensor _v = null!;
        private Segments _segments = null!;
        private AttentionOptions _options = null!;
        private Parameter? _sinks;
        private Tensor? _logSums;
        private int _version;

        public void Set(Tensor q, Tensor k, Tensor v, Segments segments, AttentionOptions options, Parameter? sinks)
        {
            (_q, _k, _v, _segments, _options, _sinks) = (q, k, v, segments, options, sinks);
            _version = segments.Version;
        }

        public void Keep(Tensor? logSums) => _logSums = logSums;

        public override void Backward()
        {
            if (_segments.Version != _version)
            {
                throw new InvalidOperationException(
                    "Attention: the segments were changed between the forward and the backward pass");
            }

            if (_logSums is null)
            {
                AttentionByDefinition.Backward(_q, _k, _v, _segments, _options, _sinks, Output.Gradient!);
                return;
            }

            Tensor? logits = _sinks is null ? null : AttentionSinks(_sinks);
            AttentionCall call = new(_q, _k, _v, _segments, _options, cache: null, layer: 0)
            {
                Y = Output.Data,
                LogSums = (float*)_logSums.Data,
                Sinks = logits is null ? null : (float*)logits.Data,
            };
            AttentionGradients gradients = new()
            {
                Upstream = new(Output.Gradient!),
                Queries = GradientOf(_q),
                Keys = GradientOf(_k),
                Values = GradientOf(_v),
                Sinks = GradientOf(_sinks),
            };
            AttentionBackward.Run(in call, in gradients);
            logits?.Recycle();
            _logSums.Recycle();
        }

        public override void Return()
        {
            (_q, _k, _v, _segments, _options, _sinks, _logSums) = (null!, null!, null!, null!, null!, null, null);
            Give(this);
        }

        private static AttentionGradients.Target GradientOf(Tensor tensor)
        {
            if (!tensor.Tracked)
            {
                return default;
            }

            Tensor gradient = tensor.GradientToWrite(out bool accumulate);
            return new(gradient, accumulate);
        }

        private static AttentionGradients.Target GradientOf(Parameter? parameter)
        {
            if (parameter is null or { Frozen: true })
            {
                return default;
            }

            Tensor gradient = parameter.GradientToWrite(out bool accumulate);
            return new(gradient, accumulate);
        }
    }
}
