using Tessera.Training.Data;

namespace Tessera.Training.Evaluation;

/// <summary>
/// Computes the loss of each row of a batch: the negative natural logarithm of the label's probability.
/// </summary>
/// <param name="batch">The rows, with one segment a window.</param>
/// <param name="losses">The losses, (N); what is written where the label is masked is not read.</param>
public delegate void TokenLosses(Batch batch, Span<float> losses);
