namespace Tessera.Training.Recipes;

/// <summary>Says how often a run is saved and what is kept.</summary>
public sealed record CheckpointsRecipe
{
    /// <summary>Gets the steps between checkpoints; one is written at the end of each stage too.</summary>
    public long Every { get; init => field = Check.Within(value, 1L, long.MaxValue); } = 500;

    /// <summary>Gets how many of the last checkpoints are kept.</summary>
    public int Keep { get; init => field = Check.Within(value, 1, 1 << 20); } = 2;

    /// <summary>Gets whether the checkpoint with the lowest held-out loss is kept too.</summary>
    public bool Best { get; init; } = true;
}
