namespace Tessera.Training.Recipes;

/// <summary>Says what the model is asked to write while it learns.</summary>
public sealed record SamplesRecipe
{
    /// <summary>Gets the texts that it goes on from.</summary>
    public IReadOnlyList<string> Prompts { get; init; } = [];

    /// <summary>Gets the steps between samples.</summary>
    public long Every { get; init => field = Check.Within(value, 1L, long.MaxValue); } = 500;

    /// <summary>Gets the tokens of a sample.</summary>
    public int Tokens { get; init => field = Check.Within(value, 1, 1 << 20); } = 100;

    /// <summary>Gets the temperature.</summary>
    public double Temperature { get; init => field = Check.Within(value, 0, 100); } = 0.8;
}
