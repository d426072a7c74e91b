using Tessera.Tensors;

namespace Tessera.Models;

/// <summary>
/// Draws the weights of a new model: N(0, deviation), the two projections onto the residual stream divided by
/// √(2 · layers) so that its variance doesn't grow with depth (GPT-2 report, section 2.3); norms start at 1, and
/// biases at 0.
/// </summary>
/// <param name="config">The model.</param>
/// <param name="seed">The seed of the draws.</param>
/// <param name="deviation">The standard deviation; GPT-2's where nothing is said.</param>
public sealed class Initialization(TransformerConfig config, int seed, double deviation = 0.02)
{
    private readonly Random _random = new(seed);

    /// <summary>Returns the values of one parameter; call it in the order of the parameters.</summary>
    public Tensor Values(ParameterSpec spec)
    {
        Tensor values = Tensor.Allocate(spec.Shape, DType.F32);
        Span<float> span = values.Span<float>();
        if (spec.Shape.Rank >= 2)
        {
            bool ontoResidual = spec.Kind is ParameterKind.AttentionOutput or ParameterKind.Down;
            Fill(span, ontoResidual ? deviation / Math.Sqrt(2.0 * config.Layers) : deviation);
        }
        else if (IsScale(spec.Kind))
        {
            span.Fill(1);
        }

        return values;
    }

    private static bool IsScale(ParameterKind kind) => kind
        is ParameterKind.AttentionNorm or ParameterKind.FeedForwardNorm or ParameterKind.FinalNorm
        or ParameterKind.QueryNorm or ParameterKind.KeyNorm;

    /// <summary>Box–Muller, two at a time.</summary>
    private void Fill(Span<float> span, double spread)
    {
        for (int i = 0; i < span.Length; i += 2)
        {
            double radius = spread * Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble()));
            (double sine, double cosine) = Math.SinCos(2 * Math.PI * _random.NextDouble());
            span[i] = (float)(radius * cosine);
            if (i + 1 < span.Length)
            {
                span[i + 1] = (float)(radius * sine);
            }
        }
    }
}
