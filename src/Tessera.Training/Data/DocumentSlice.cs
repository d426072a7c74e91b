namespace Tessera.Training.Data;

/// <summary>
/// Says which part of a file is read: all of it, or what is left when its end is held out, or that end; of that, the
/// documents that a filter takes.
/// </summary>
/// <remarks>
/// Of a file with several documents the last ones are held out; a single document is cut between two characters.
/// </remarks>
/// <param name="HeldOutShare">The share that is held out, from 0 to 1; 0 where nothing is.</param>
/// <param name="IsHeldOut">Whether the end is wanted and not what comes before it.</param>
/// <param name="Filter">Which documents are taken, before any are held out; null for all.</param>
public readonly record struct DocumentSlice(double HeldOutShare, bool IsHeldOut, DocumentFilter? Filter = null)
{
    /// <summary>Gets the slice that is the whole file.</summary>
    public static DocumentSlice All => default;

    /// <summary>Gets whether nothing is held out.</summary>
    public bool IsAll => HeldOutShare == 0;

    /// <summary>
    /// Returns a name for keys and messages, such as <c>all</c>, <c>first-0.9</c> or <c>last-0.1</c>.
    /// </summary>
    public override string ToString() =>
        (IsAll ? "all" : IsHeldOut ? $"last-{HeldOutShare:R}" : $"first-{1 - HeldOutShare:R}")
        + (Filter is null ? "" : $" of {Filter}");
}
