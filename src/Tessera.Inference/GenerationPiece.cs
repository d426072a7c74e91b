namespace Tessera.Inference;

/// <summary>Holds what has come of an answer since the last piece.</summary>
/// <param name="Text">Whole characters; may be empty.</param>
/// <param name="Tokens">
/// The tokens whose text is given out by now; empty unless log-probabilities were asked for.
/// </param>
public sealed record GenerationPiece(string Text, IReadOnlyList<GeneratedToken> Tokens);
