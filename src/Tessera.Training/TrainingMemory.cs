using Tessera.Models;
using Tessera.Tensors;
using Tessera.Tensors.Memory;
using Tessera.Training.Recipes;

namespace Tessera.Training;

/// <summary>States what memory a run takes at its peak, before it takes any; all in bytes.</summary>
/// <param name="Weights">The parameters in float32, their packed forms for both directions, tables of
/// positions.</param>
/// <param name="Gradients">The gradients, twice where micro-batches are added up.</param>
/// <param name="Moments">What the optimizer keeps.</param>
/// <param name="Activations">What a micro-batch leaves behind on its way, a chunk of logits among it.</param>
/// <param name="Base">The program itself.</param>
public sealed record TrainingMemory(double Weights, double Gradients, double Moments, double Activations, double Base)
{
    // The runtime, compiled code, threads and their scratch: measured with a model of 0.1 M parameters.
    private const double ProgramBytes = 100e6;

    // As LinearCrossEntropy cuts its chunks.
    private const double LogitsBytes = 32 << 20;

    /// <summary>Gets the sum.</summary>
    public double Bytes => Weights + Gradients + Moments + Activations + Base;

    /// <summary>Returns what the largest stage of a recipe takes.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="vocabularySize">The ids of the tokenizer, V; null: as many as the recipe wants.</param>
    public static TrainingMemory Of(Recipe recipe, int? vocabularySize = null)
    {
        int V = vocabularySize ?? (recipe.Tokenizer.Kind == TokenizerKind.Characters && recipe.Tokenizer.Path is null
            ? 256 + recipe.Tokenizer.ControlTokens.Count
            : recipe.Tokenizer.Vocabulary);
        TransformerConfig config = recipe.Model.ToConfig(V, recipe.Context, []);
        return recipe.Stages.Select(stage =>
            Of(config, stage.Training, recipe.Evaluation.Window ?? 0)).MaxBy(memory => memory.Bytes)!;
    }

    /// <summary>Throws where less is available, before anything is taken.</summary>
    /// <exception cref="InsufficientMemoryException">
    /// It is less; the message has both figures and names the keys to lower.
    /// </exception>
    public void Require(long available)
    {
        bool model = Bytes - Activations > available;
        string[] parts =
        [
            $"weights {AvailableMemory.InWords(Weights)}", $"gradients {AvailableMemory.InWords(Gradients)}",
            $"optimizer {AvailableMemory.InWords(Moments)}", $"activations {AvailableMemory.InWords(Activations)}",
        ];
        AvailableMemory.Require(
            $"training ({string.Join(", ", parts)})",
            Bytes,
            available,
            model
                ? "lower model.width or model.layers (or depth)"
                : "lower training.batch, raising training.accumulation by as much, or training.sequence");
    }

    private static TrainingMemory Of(TransformerConfig config, TrainingRecipe training, int window)
    {
        TransformerMemory model = new(config);
        DType type = ModelMaker.TypeOf(training.Precision);
        double rows = (double)training.Batch * training.Sequence;
        bool muon = training.Optimizer == OptimizerKind.Muon;
        double chunk = Math.Min(LogitsBytes, 4 * rows * config.VocabularySize) * (type == DType.BF16 ? 1.5 : 1);
        return new TrainingMemory(
            (4 * model.Parameters) + (2 * type.Size() * model.MultipliedParameters)
                + (model.PositionBytes * config.ContextLength),
            4 * model.Parameters * (training.Accumulation > 1 ? 2 : 1),
            8 * model.Parameters - (muon ? 4 * model.HiddenParameters : 0),
            Math.Max(
                (rows * model.RowBytes(type, training.Dropout > 0))
                    + Math.Max(chunk + (4 * rows * config.Width), rows * model.GradientRowBytes(type)),
                (window * model.RowBytes(type)) + chunk),
            ProgramBytes);
    }
}
