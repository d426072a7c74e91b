namespace Tessera.Training.Data;

/// <summary>Says how far one document has been read.</summary>
/// <param name="Source">The index of its source.</param>
/// <param name="Document">Its index in the source.</param>
/// <param name="Row">The next of its rows.</param>
public sealed record DocumentPosition(int Source, int Document, long Row);
