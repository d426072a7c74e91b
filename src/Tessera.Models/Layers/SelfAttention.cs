using Tessera.Tensors;

namespace Tessera.Models.Layers;

/// <summary>Causal self-attention with grouped key heads: y = x + softmax(q kᵀ / √D) v · Wₒ.</summary>
public sealed class SelfAttention
{
    private readonly TransformerConfig _config;
    private readonly ParameterSet _parameters;
    private readonly Rotary? _rotary;
    private readonly int _layer;

    /// <summary>Makes the attention of one layer over its parameters.</summary>
    public SelfAttention(TransformerConfig config, ParameterSet parameters, Rotary? rotary, int layer)
    {
        _config = config;
        _parameters = parameters;
        _rotary = rotary;
        _layer = layer;
    }

    /// <summary>
    /// Adds the attention of the normed rows <paramref name="h"/> (N, C) to the residual stream <paramref name="x"/>
    /// (N, C).
    /// </summary>
    /// <param name="h">Rows in the type that products are computed in.</param>
    /// <param name="x">The residual stream.</param>
    /// <param name="segments">Which rows belong to which sequence.</param>
    /// <param name="cache">Past keys and values, which this appends to; null where there is no past.</param>
    /// <param name="dropout">What is dropped while training.</param>
    public Tensor Forward(Tensor h, Tensor x, Segments segments, KeyValueCache? cache, Dropout dropout)
    {
        int N = h.Shape.Rows, H = _config.Heads, K = _config.KeyHeads, D = _config.HeadSize;
        (Tensor q, Tensor k, Tensor v) = Project(h);
        q = q.View(N, H, D);
        k = k.View(N, K, D);
        v = v.View(N, K, D);
        if (_rotary is not null)
        {
            q = Ops.RotaryEmbedding(q, segments.Positions, _rotary, Find(ParameterKind.QueryNorm), _config.NormEpsilon);
            k = Ops.RotaryEmbedding(k, segments.Positions, _rotary, Find(ParameterKind.KeyNorm), _config.NormEpsilon);
        }

        cache?.Append(_layer, segments, k, v); // into each sequence's blocks
        Tensor y = Ops.Attention(q, k, v, segments, AttentionOptions.Default, cache, _layer); // (N, H, D)
        return dropout.Linear(
            y.View(N, H * D), Get(ParameterKind.AttentionOutput), Find(ParameterKind.AttentionOutputBias), x);
    }

    private (Tensor Query, Tensor Key, Tensor Value) Project(Tensor h)
    {
        if (Find(ParameterKind.QueryKeyValue) is { } joint)
        {
            return Ops.SplitInThree(Ops.Linear(h, joint, Find(ParameterKind.QueryKeyValueBias)));
        }

        return (
            Ops.Linear(h, Get(ParameterKind.Query), Find(ParameterKind.QueryBias)),
            Ops.Linear(h, Get(ParameterKind.Key), Find(ParameterKind.KeyBias)),
            Ops.Linear(h, Get(ParameterKind.Value), Find(ParameterKind.ValueBias)));
    }

    private Parameter Get(ParameterKind kind) => _parameters[kind, _layer];

    private Parameter? Find(ParameterKind kind) => _parameters.Find(kind, _layer);
}
