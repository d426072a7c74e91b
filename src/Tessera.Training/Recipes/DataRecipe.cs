using Tessera.Training.Data;

namespace Tessera.Training.Recipes;

/// <summary>Names the data of a run and how it is cut.</summary>
public sealed record DataRecipe
{
    /// <summary>Gets the sources.</summary>
    public IReadOnlyList<SourceRecipe> Sources { get; init; } = [];

    /// <summary>Gets how documents become sequences.</summary>
    public DocumentMode Documents { get; init; } = DocumentMode.Separate;

    /// <summary>Gets the share at the end of each file that is not learned but measured.</summary>
    public double HoldOut { get; init => field = Check.Within(value, 0, 0.9); }

    /// <summary>Gets the number of bad lines that are skipped; one more stops the run.</summary>
    public long BadLines { get; init => field = Check.Within(value, 0L, long.MaxValue); } = Data.BadLines.DefaultLimit;

    /// <summary>Gets the folder for tokenised data; the user's own cache where nothing is said.</summary>
    public string? Cache { get; init; }
}
