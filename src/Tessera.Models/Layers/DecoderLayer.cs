using Tessera.Tensors;

namespace Tessera.Models.Layers;

/// <summary>
/// One layer of the decoder: attention, then feed-forward, each behind a norm and onto the residual stream.
/// </summary>
public sealed class DecoderLayer
{
    private readonly Normalization _attentionNorm;
    private readonly SelfAttention _attention;
    private readonly Normalization _feedForwardNorm;
    private readonly FeedForward _feedForward;

    /// <summary>Makes a layer over its parameters.</summary>
    public DecoderLayer(TransformerConfig config, ParameterSet parameters, Rotary? rotary, int layer)
    {
        Parameter? Find(ParameterKind kind) => parameters.Find(kind, layer);
        _attentionNorm = new(
            config, parameters[ParameterKind.AttentionNorm, layer], Find(ParameterKind.AttentionNormBias));
        _attention = new(config, parameters, rotary, layer);
        _feedForwardNorm = new(
            config, parameters[ParameterKind.FeedForwardNorm, layer], Find(ParameterKind.FeedForwardNormBias));
        _feedForward = new(config, parameters, layer);
    }

    /// <summary>Takes and returns the residual stream (N, C).</summary>
    public Tensor Forward(Tensor x, Segments segments, KeyValueCache? cache, DType type, Dropout dropout)
    {
        x = _attention.Forward(_attentionNorm.Forward(x, type), x, segments, cache, dropout);
        return _feedForward.Forward(_feedForwardNorm.Forward(x, type), x, dropout);
    }
}
