namespace Tessera.Inference;

/// <summary>States how fast a model reads and answers in one shape.</summary>
/// <param name="Depth">How many positions of each sequence came before.</param>
/// <param name="Parallel">How many sequences there were.</param>
/// <param name="PrefillTokensPerSecond">The tokens of prompts that were read, all sequences together.</param>
/// <param name="DecodeTokensPerSecond">The tokens that were drawn, all sequences together.</param>
/// <param name="FlopsPerPrefillToken">The floating-point operations of a token that is read.</param>
/// <param name="BytesPerDecodedToken">The bytes of weights (shared by the sequences), keys and values that a token
/// that is drawn needs read.</param>
public sealed record EngineSpeedResult(
    int Depth,
    int Parallel,
    double PrefillTokensPerSecond,
    double DecodeTokensPerSecond,
    double FlopsPerPrefillToken,
    double BytesPerDecodedToken);
