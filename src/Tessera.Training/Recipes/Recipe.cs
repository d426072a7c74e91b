namespace Tessera.Training.Recipes;

/// <summary>
/// Describes the whole making of a model. Read it with <see cref="RecipeReader"/>, write it with <see
/// cref="RecipeWriter"/>.
/// </summary>
public sealed record Recipe
{
    /// <summary>Gets the name, which the run's folder has too.</summary>
    public string Name { get; init => field = Check.NotEmpty(value); } = "model";

    /// <summary>Gets the seed of everything that is left to chance.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>Gets the one dial that the model and the budget were derived from, where it was used.</summary>
    public int? Depth { get; init => field = Check.Within(value, 1, 128); }

    /// <summary>Gets the model.</summary>
    public ModelRecipe Model { get; init; } = new();

    /// <summary>Gets the tokenizer.</summary>
    public TokenizerRecipe Tokenizer { get; init; } = new();

    /// <summary>Gets the first stage's data; in a file, what the stages have where they state nothing else.</summary>
    public DataRecipe Data { get; init; } = new();

    /// <summary>
    /// Gets the first stage's training; in a file, what the stages have where they state nothing else.
    /// </summary>
    public TrainingRecipe Training { get; init; } = new();

    /// <summary>Gets the measurements on held-out data.</summary>
    public EvaluationRecipe Evaluation { get; init; } = new();

    /// <summary>Gets the samples.</summary>
    public SamplesRecipe Samples { get; init; } = new();

    /// <summary>Gets the checkpoints.</summary>
    public CheckpointsRecipe Checkpoints { get; init; } = new();

    /// <summary>Gets the stages in their order: at least one, each complete in itself.</summary>
    public IReadOnlyList<StageRecipe> Stages { get; init; } = [];

    /// <summary>Gets the positions that the model is made for, stated or the longest sequence of the stages.</summary>
    public int Context => Model.Context ?? Stages.Max(s => s.Training.Sequence);

    /// <summary>Checks the values against each other and returns this.</summary>
    /// <exception cref="ArgumentException">Two values don't go together; the message names both.</exception>
    public Recipe Validate()
    {
        Model.Validate();
        Tokenizer.Validate();
        foreach (StageRecipe stage in Stages)
        {
            string where = Stages.Count == 1 ? "training" : $"stage {stage.Name}: training";
            stage.Training.Validate(where);
            if (stage.Data.Sources.Count == 0)
            {
                throw new ArgumentException(
                    $"{(Stages.Count == 1 ? "data" : $"stage {stage.Name}: data")}: sources names no file");
            }

            int weighted = stage.Data.Sources.Count(s => s.Weight is not null);
            if (weighted != 0 && weighted != stage.Data.Sources.Count)
            {
                string without = stage.Data.Sources.First(s => s.Weight is null).Path;
                throw new ArgumentException(
                    $"data.sources: {without} has no weight and others have: give all of them one, or none");
            }

            if (Model.Context is { } context && stage.Training.Sequence > context)
            {
                throw new ArgumentException(
                    $"{where}: a sequence of {stage.Training.Sequence} tokens is longer than model.context, {context}");
            }
        }

        Model.ToConfig(Tokenizer.Vocabulary, Context, []);
        return this;
    }
}
