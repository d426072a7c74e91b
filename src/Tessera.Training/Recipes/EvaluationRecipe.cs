namespace Tessera.Training.Recipes;

/// <summary>Says on what and how often a model is measured while it learns.</summary>
public sealed record EvaluationRecipe
{
    /// <summary>
    /// Gets the held-out sources, each measured on its own; the <c>hold_out</c> of the data is measured too.
    /// </summary>
    public IReadOnlyList<HeldOutRecipe> HeldOut { get; init; } = [];

    /// <summary>Gets the steps between measurements; it is measured at the end of each stage too.</summary>
    public long Every { get; init => field = Check.Within(value, 1L, long.MaxValue); } = 500;

    /// <summary>Gets the bytes of each source that are measured before the end.</summary>
    public long Bytes { get; init => field = Check.Within(value, 1L, long.MaxValue); } = 200_000;

    /// <summary>Gets the tokens of a window; the sequence of the training where nothing is said.</summary>
    public int? Window { get; init => field = Check.Within(value, 1, 1 << 22); }

    /// <summary>
    /// Gets after how many measurements in a row, each above the lowest, the run stops; it goes on where nothing is
    /// said.
    /// </summary>
    public int? StopAfterRises { get; init => field = Check.Within(value, 1, 1 << 20); }
}
