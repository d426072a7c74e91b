namespace Tessera.Inference.Sampling;

/// <summary>Pairs a token with its log-probability in nats.</summary>
public readonly record struct TokenLogProbability(int Token, double LogProbability);
