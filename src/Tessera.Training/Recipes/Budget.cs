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
        long width = model.Width, heads = (long)model.Heads * model.ActualHeadSize;
        long keys = (long)model.ActualKeyHeads * model.ActualHeadSize, hidden = model.ActualHidden;
        long embedding = vocabularySize * width;
        bool gpt2 = model.Family == "gpt2";

        // Query and output, key and value, the feed-forward matrices: two with GELU, three with a gate.
        long matrices = model.Layers * ((2 * width * heads) + (2 * width * keys) + ((gpt2 ? 2 : 3) * width * hidden));
        long rows = ((2L * model.Layers) + 1) * width;
        long biases = model.Layers * (heads + (2 * keys) + width + hidden + width);
        long headNorms = model.Family == "qwen3" ? 2L * model.Layers * model.ActualHeadSize : 0;
        long norms = gpt2 ? (2 * rows) + biases : rows + headNorms;
        long positions = gpt2 ? (model.Context ?? sequence) * width : 0;
        long all = matrices + norms + positions + (embedding * (model.Tied ? 1 : 2));
        long multiplied = matrices + embedding;

        // Two for each multiply and add, three passes (forward, and backward to inputs and to weights); of attention
        // the causal half.
        double flops = (6.0 * multiplied * tokens) + (6.0 * model.Layers * heads * sequence * tokens);
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
}
