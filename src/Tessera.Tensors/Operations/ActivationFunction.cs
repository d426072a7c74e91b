namespace Tessera.Tensors;

/// <summary>Names the elementwise functions between the two halves of a feed-forward layer.</summary>
public enum ActivationFunction
{
    /// <summary>x · Φ(x), with the normal distribution's function itself (arXiv 1606.08415).</summary>
    GeluExact,

    /// <summary>GELU by tanh(√(2/π) (x + 0.044715 x³)), GPT-2's form.</summary>
    GeluTanh,

    /// <summary>x · σ(1.702 x), CLIP's form.</summary>
    GeluQuick,

    /// <summary>x · σ(x) (arXiv 1702.03118).</summary>
    Silu,

    /// <summary>max(x, 0)² (arXiv 2109.08668).</summary>
    ReluSquared,
}
