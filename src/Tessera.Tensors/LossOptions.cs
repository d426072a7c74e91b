namespace Tessera.Tensors;

/// <summary>Holds what is added to plain cross-entropy.</summary>
/// <param name="LabelSmoothing">The share of the target spread evenly over the vocabulary (arXiv 1512.00567), in [0,
/// 1).</param>
/// <param name="ZLoss">The weight of logsumexp², which keeps logits near 0 (arXiv 2204.02311 section 5).</param>
/// <param name="Entropies">Whether each token's entropy is wanted.</param>
public sealed record LossOptions(double LabelSmoothing = 0, double ZLoss = 0, bool Entropies = false)
{
    /// <summary>The label of a row that takes no part.</summary>
    public const int Masked = -100;

    /// <summary>Gets cross-entropy alone.</summary>
    public static LossOptions Plain { get; } = new();
}
