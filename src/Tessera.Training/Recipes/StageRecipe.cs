namespace Tessera.Training.Recipes;

/// <summary>Describes one stage of a run, which begins with the weights that the one before it left.</summary>
public sealed record StageRecipe
{
    /// <summary>Gets the name.</summary>
    public string Name { get; init => field = Check.NotEmpty(value); } = "train";

    /// <summary>Gets the data; what a stage doesn't state it has from the recipe.</summary>
    public DataRecipe Data { get; init; } = new();

    /// <summary>Gets the training; what a stage doesn't state it has from the recipe.</summary>
    public TrainingRecipe Training { get; init; } = new();
}
