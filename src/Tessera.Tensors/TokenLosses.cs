namespace Tessera.Tensors;

/// <summary>Holds what a cross-entropy gives.</summary>
/// <param name="Loss">The scalar: scale · Σ weightₙ · lossₙ.</param>
/// <param name="LogProbabilities">Each row's log-probability of its label (N); 0 where masked.</param>
/// <param name="Entropies">Each row's entropy in nats (N), where asked for.</param>
public readonly record struct TokenLosses(Tensor Loss, Tensor LogProbabilities, Tensor? Entropies);
