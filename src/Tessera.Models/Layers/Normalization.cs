using Tessera.Tensors;

namespace Tessera.Models.Layers;

/// <summary>
/// The norm before each half of a layer and before the head, in the form that the configuration names.
/// </summary>
public sealed class Normalization(TransformerConfig config, Parameter weight, Parameter? bias)
{
    /// <summary>
    /// Normalises rows (N, C) of the residual stream and gives them in the type that the next products are computed in.
    /// </summary>
    public Tensor Forward(Tensor x, DType type) => config.Norm == Norm.Rms
        ? Ops.RmsNorm(x, weight, config.NormEpsilon, type: type)
        : Ops.LayerNorm(x, weight, bias!, config.NormEpsilon, type);
}
