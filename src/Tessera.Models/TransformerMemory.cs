using Tessera.Models.Families;
using Tessera.Tensors;

namespace Tessera.Models;

/// <summary>
/// Counts the bytes that a decoder takes, from its configuration alone. The figures are doubles, since a configuration
/// may describe more than any memory.
/// </summary>
public sealed class TransformerMemory
{
    private readonly TransformerConfig _config;
    private readonly double _hidden;

    /// <summary>Counts a model's parameters.</summary>
    public TransformerMemory(TransformerConfig config)
    {
        _config = config;
        foreach (ParameterSpec spec in ModelFamily.Of(config.Family).Parameters(config with { Layers = 1 }))
        {
            bool inLayer = IsInLayer(spec.Kind);
            double count = (double)spec.Shape.Count * (inLayer ? config.Layers : 1);
            Parameters += count;
            bool lookedUp = spec.Kind == ParameterKind.PositionEmbedding
                || (spec.Kind == ParameterKind.TokenEmbedding && !config.TiedEmbeddings);
            MultipliedParameters += spec.Shape.Rank == 2 && !lookedUp ? count : 0;
            _hidden += spec.Shape.Rank == 2 && inLayer ? count : 0;
        }
    }

    /// <summary>Gets the number of all parameters.</summary>
    public double Parameters { get; }

    /// <summary>
    /// Gets the number of those in matrices that rows are multiplied with, each of which is kept a second time, packed
    /// as the kernels read it.
    /// </summary>
    public double MultipliedParameters { get; }

    /// <summary>Gets the number of those in the matrices of the layers.</summary>
    public double HiddenParameters => _hidden;

    /// <summary>Gets the bytes of the tables of cosines and sines that one position of the context takes.</summary>
    public double PositionBytes => 4.0 * (_config.Rotary?.Dimensions ?? 0);

    /// <summary>
    /// Returns the bytes of what one row leaves behind on its way through the model: the outputs of all operations,
    /// which stay until the step ends.
    /// </summary>
    /// <param name="type">What products are computed in.</param>
    /// <param name="dropout">Whether activations are dropped, which takes a copy of each.</param>
    public double RowBytes(DType type, bool dropout = false)
    {
        double C = _config.Width, F = _config.FeedForwardWidth, size = type.Size();
        double queries = (double)_config.Heads * _config.HeadSize, keys = (double)_config.KeyHeads * _config.HeadSize;
        bool gated = _config.Activation is Activation.SwiGlu or Activation.GeGluTanh;
        double projected = queries + (2 * keys); // once as projected, and again turned or split
        double turned = _config.Rotary is null ? projected : queries + keys;
        double layer = (size * ((2 * C) + projected + turned + queries + ((gated ? 3 : 2) * F)))
            + (4 * _config.Heads) + (4 * 2 * C * (dropout ? 2 : 1));
        return (_config.Layers * layer) + (4 * C) + (size * C);
    }

    /// <summary>
    /// Returns the bytes of the gradients that stand beside each other, a row, while the backward pass is in one layer.
    /// </summary>
    public double GradientRowBytes(DType type)
    {
        double C = _config.Width, F = _config.FeedForwardWidth;
        return (4 * 3 * C) + (type.Size() * 3 * F);
    }

    private static bool IsInLayer(ParameterKind kind) => kind is not (ParameterKind.TokenEmbedding
        or ParameterKind.PositionEmbedding or ParameterKind.FinalNorm or ParameterKind.FinalNormBias
        or ParameterKind.Head);
}
