namespace Tessera.Tensors;

/// <summary>Holds the numbers of one AdamW step on one parameter.</summary>
/// <param name="Beta1">Share of the old first moment that is kept.</param>
/// <param name="Beta2">Share of the old second moment that is kept.</param>
/// <param name="Epsilon">Added to the root of the corrected second moment.</param>
/// <param name="Rate">Learning rate over (1 − β₁ᵗ): the first moment's correction is in it.</param>
/// <param name="SecondScale">1 / √(1 − β₂ᵗ): the second moment's correction.</param>
/// <param name="Decay">Learning rate times weight decay.</param>
/// <param name="GradientScale">What the gradient is multiplied by.</param>
public readonly record struct AdamWUpdate(
    double Beta1, double Beta2, double Epsilon, double Rate, double SecondScale, double Decay, double GradientScale);
