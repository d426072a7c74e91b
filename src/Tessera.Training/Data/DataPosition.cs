namespace Tessera.Training.Data;

/// <summary>
/// Says where a stream of batches stands, so that another goes on from there; small, and written as JSON.
/// </summary>
/// <param name="Seed">The seed that the order was made from.</param>
/// <param name="Batches">The batches given so far.</param>
/// <param name="Sources">How far each source has been read.</param>
/// <param name="Unfinished">The document that the next batch goes on with; null where it begins a new one.</param>
public sealed record DataPosition(
    long Seed, long Batches, IReadOnlyList<SourcePosition> Sources, DocumentPosition? Unfinished);
