namespace Tessera.Training.Optimizers;

/// <summary>Holds AdamW's numbers.</summary>
/// <param name="LearningRate">The rate that a schedule multiplies.</param>
/// <param name="Beta1">Share of the gradient's running mean kept in a step.</param>
/// <param name="Beta2">Share of the squared gradient's running mean kept in a step.</param>
/// <param name="Epsilon">Added to the root of the corrected second moment.</param>
/// <param name="WeightDecay">Share of a weight, times the rate, that is lost in a step.</param>
public sealed record AdamWSettings(
    double LearningRate, double Beta1 = 0.9, double Beta2 = 0.95, double Epsilon = 1e-8, double WeightDecay = 0.1);
