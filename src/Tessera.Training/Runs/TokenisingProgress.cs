namespace Tessera.Training.Runs;

/// <summary>Says how far a file has been tokenised.</summary>
/// <param name="File">The file's path.</param>
/// <param name="TextBytes">The bytes of text so far.</param>
public readonly record struct TokenisingProgress(string File, long TextBytes);
