using Tessera.Inference.Sampling;

namespace Tessera.Inference;

/// <summary>Describes a token of an answer, for requests that ask for log-probabilities.</summary>
/// <param name="Id">The token.</param>
/// <param name="LogProbability">Its log-probability under the model's own logits, in nats.</param>
/// <param name="Top">The most probable tokens at its place, best first.</param>
public sealed record GeneratedToken(int Id, double LogProbability, IReadOnlyList<TokenLogProbability> Top);
