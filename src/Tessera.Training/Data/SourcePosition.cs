namespace Tessera.Training.Data;

/// <summary>Says how far one source has been read.</summary>
/// <param name="Pass">The number of full passes.</param>
/// <param name="Next">The place in the shuffled order of this pass.</param>
/// <param name="DrawnRows">The rows of all documents drawn so far.</param>
public sealed record SourcePosition(long Pass, long Next, long DrawnRows);
