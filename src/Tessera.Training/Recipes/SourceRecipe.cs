using Tessera.Training.Data;

namespace Tessera.Training.Recipes;

/// <summary>Names a source of data and its part in the mixture.</summary>
public sealed record SourceRecipe
{
    /// <summary>Gets the file, folder or glob.</summary>
    public string Path { get; init => field = Check.NotEmpty(value); } = "data";

    /// <summary>
    /// Gets the share of the run's tokens relative to the other sources; all of them state one, or none does.
    /// </summary>
    public double? Weight { get; init => field = Check.Within(value, 0, 1e9); }

    /// <summary>Gets the largest share of the run's tokens, from 0 to 1.</summary>
    public double? Cap { get; init => field = Check.Within(value, 0, 1); }

    /// <summary>Gets the most passes over the source in the run.</summary>
    public double? Passes { get; init => field = Check.Within(value, 0, 1e9); }

    /// <summary>
    /// Gets what the fields of a line must be, each <c>field=value</c>: one of the values that are stated for a field,
    /// for each field.
    /// </summary>
    public IReadOnlyList<string> Only
    {
        get;
        init
        {
            DocumentFilter.Of(value);
            field = value;
        }
    } = [];

    /// <summary>Gets which tokens of conversations are learned.</summary>
    public LossKind Loss { get; init; } = LossKind.Replies;
}
