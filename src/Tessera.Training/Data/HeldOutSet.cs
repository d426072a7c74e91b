namespace Tessera.Training.Data;

/// <summary>Holds documents that are measured and never learned.</summary>
/// <param name="Name">The name in reports.</param>
/// <param name="Files">The tokens.</param>
public sealed record HeldOutSet(string Name, IReadOnlyList<TokenFile> Files);
