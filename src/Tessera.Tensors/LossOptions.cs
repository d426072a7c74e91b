namespace Tessera.Tensors;

/// <summary>Holds what is added to plain cross-entropy.</summary>
/// <param name="LabelSmoothing">The share of the target spread evenly over the vocabulary (arXiv 1512.00567), in [0,
/// 1).</param>
/// <param name="ZLoss">The weight of logsumexp², which keeps logits near 0 (arXiv 2204.02311 section 5); 0 or
/// more.</param>
/// <param name="Entropies">Whether each token's entropy is wanted.</param>
/// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
public sealed record LossOptions(double LabelSmoothing = 0, double ZLoss = 0, bool Entropies = false)
{
    /// <summary>The label of a row that takes no part.</summary>
    public const int Masked = -100;

    /// <summary>Gets cross-entropy alone.</summary>
    public static LossOptions Plain { get; } = new();

    /// <summary>Gets the share of the target that is spread evenly over the vocabulary.</summary>
    public double LabelSmoothing { get; init => field = Within(nameof(LabelSmoothing), value, 1); } =
        Within(nameof(LabelSmoothing), LabelSmoothing, 1);

    /// <summary>Gets the weight of logsumexp².</summary>
    public double ZLoss { get; init => field = Within(nameof(ZLoss), value, double.PositiveInfinity); } =
        Within(nameof(ZLoss), ZLoss, double.PositiveInfinity);

    private static double Within(string name, double value, double end) => value >= 0 && value < end
        ? value
        : throw new ArgumentOutOfRangeException(name, value, $"LossOptions: {name} is from 0 to below {end}");
}
