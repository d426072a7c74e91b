using Tessera.Tensors.Files;

namespace Tessera.Training.Runs;

/// <summary>Holds what a checkpoint is written from.</summary>
/// <param name="State">Counters, positions and random states.</param>
/// <param name="Tensors">The optimizer's tensors by name, in the types that they are computed in.</param>
/// <param name="WriteModel">Writes the model's files into a folder, as Hugging Face's form wants them.</param>
public sealed record CheckpointContent(
    TrainingState State, IReadOnlyList<StoredTensor> Tensors, Action<string> WriteModel);
