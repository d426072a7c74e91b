using Tessera.Tensors;

namespace Tessera.Training;

/// <summary>Holds what a training step does beside computing gradients.</summary>
/// <param name="Loss">Smoothing and z-loss.</param>
/// <param name="Clip">The norm that gradients are brought down to; null for none.</param>
/// <param name="Dropout">The share of activations dropped.</param>
public sealed record TrainingStepOptions(LossOptions Loss, double? Clip = 1, double Dropout = 0);
