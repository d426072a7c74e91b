namespace Tessera.Training.Optimizers;

/// <summary>Holds Muon's numbers.</summary>
/// <param name="LearningRate">The rate that a schedule multiplies.</param>
/// <param name="Momentum">Share of the running mean kept in a step.</param>
/// <param name="WeightDecay">Share of a weight, times the rate, that is lost in a step.</param>
/// <param name="ShapesAsStored">Whether the step's scale takes (outputs, inputs) from the stored shape even where a
/// matrix is stored (in, out), as torch.optim.Muon does.</param>
public sealed record MuonSettings(
    double LearningRate, double Momentum = 0.95, double WeightDecay = 0.1, bool ShapesAsStored = false);
