using System.Globalization;
using Tessera.Models;
using Tessera.Models.Families;

namespace Tessera.Training.Recipes;

/// <summary>States what a recipe will cost, before it starts.</summary>
/// <param name="Parameters">All learned numbers.</param>
/// <param name="MatrixParameters">Those that are multiplied with each token: projections and the head, not the look-up
/// of the embedding.</param>
/// <param name="Tokens">The tokens of all stages.</param>
/// <param name="Flops">The floating-point operations of forward and backward passes.</param>
public sealed record Budget(long Parameters, long MatrixParameters, long Tokens, double Flops)
{
    /// <summary>Computes the budget of a model and a number of tokens.</summary>
    /// <param name="model">The model.</param>
    /// <param name="vocabularySize">The ids of the tokenizer, V.</param>
    /// <param name="sequence">The tokens of a sequence, T, which attention grows with.</param>
    /// <param name="tokens">The tokens of the run.</param>
    public static Budget Of(ModelRecipe model, int vocabularySize, int sequence, long tokens)
    {
        TransformerConfig config = model.ToConfig(vocabularySize, model.Context ?? sequence, []);
        long all = 0, multiplied = 0;
        foreach (ParameterSpec spec in ModelFamily.Of(config.Family).Parameters(config))
        {
            all += spec.Shape.Count;

            // A tied embedding is the head, and is multiplied; one of its own is only looked up, as positions are.
            bool lookedUp = spec.Kind == ParameterKind.PositionEmbedding
                || (spec.Kind == ParameterKind.TokenEmbedding && !config.TiedEmbeddings);
            multiplied += spec.Shape.Rank == 2 && !lookedUp ? spec.Shape.Count : 0;
        }

        // Two for each multiply and add, three passes (forward, and backward to inputs and to weights); of attention
        // the causal half.
        double attended = (double)config.Layers * config.Heads * config.HeadSize * sequence;
        double flops = 6 * (multiplied + attended) * tokens;
        return new Budget(all, multiplied, tokens, flops);
    }

    /// <summary>Computes the budget of a recipe.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="vocabularySize">The ids of the tokenizer, V.</param>
    /// <param name="rows">For each stage the rows of its data once, which <c>passes</c> are counted in; zero where
    /// unknown.</param>
    public static Budget Of(Recipe recipe, int vocabularySize, IReadOnlyList<long> rows)
    {
        Budget sum = new(0, 0, 0, 0);
        for (int i = 0; i < recipe.Stages.Count; i++)
        {
            TrainingRecipe training = recipe.Stages[i].Training;
            long tokens = training.StepsFor(rows.Count > i ? rows[i] : 0) * training.TokensAStep;
            Budget stage =
                Of(recipe.Model with { Context = recipe.Context }, vocabularySize, training.Sequence, tokens);
            sum = stage with { Tokens = sum.Tokens + stage.Tokens, Flops = sum.Flops + stage.Flops };
        }

        return sum;
    }

    /// <summary>Returns the time that the run takes at a speed.</summary>
    /// <param name="flopsPerSecond">The operations a second that steps reach, not the processor's peak.</param>
    public TimeSpan Time(double flopsPerSecond) => TimeSpan.FromSeconds(Math.Min(Flops / flopsPerSecond, 1e9));

    /// <summary>
    /// Returns the budget in words, as in <c>6.16 M parameters, 20.5 M tokens, 832 TFLOP, about 23 min</c>.
    /// </summary>
    /// <param name="flopsPerSecond">The operations a second that steps reach; null where that isn't known.</param>
    public string Describe(double? flopsPerSecond)
    {
        string words = $"{Short(Parameters)} parameters, {Short(Tokens)} tokens, {Short(Flops)}FLOP";
        return flopsPerSecond is { } speed ? $"{words}, about {Words(Time(speed))}" : words;
    }

    private static string Words(TimeSpan time) => time.TotalDays >= 2
        ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalDays:F1} days")
        : time.TotalHours >= 1
            ? $"{(int)time.TotalHours} h {time.Minutes} min"
            : time.TotalMinutes >= 1 ? $"{Math.Round(time.TotalMinutes)} min" : $"{Math.Ceiling(time.TotalSeconds)} s";

    /// <summary>Returns three figures and a unit.</summary>
    private static string Short(double value)
    {
        string[] units = ["", "k", "M", "G", "T", "P", "E"];
        int unit = value < 1000 ? 0 : Math.Min(units.Length - 1, (int)(Math.Log10(value) / 3));
        return string.Create(CultureInfo.InvariantCulture, $"{value / Math.Pow(1000, unit):G3} {units[unit]}");
    }
}
