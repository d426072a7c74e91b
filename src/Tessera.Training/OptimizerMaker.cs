using Tessera.Models;
using Tessera.Models.Families;
using Tessera.Tensors;
using Tessera.Training.Optimizers;
using Tessera.Training.Recipes;

namespace Tessera.Training;

/// <summary>Makes the optimizer that a stage asks for.</summary>
public static class OptimizerMaker
{
    /// <summary>Returns the stage's optimizer over a model's parameters.</summary>
    public static Optimizer Create(TrainingRecipe training, Transformer model)
    {
        IReadOnlyList<Parameter> all = model.Parameters.All;
        if (training.Optimizer == OptimizerKind.AdamW)
        {
            return new AdamW(all, training.AdamWSettings());
        }

        // Muon's authors decay the matrices alone; embeddings, head and vectors are AdamW's without decay.
        HashSet<Parameter> hidden = [.. HiddenMatrices(model)];
        return new Muon(
            all.Where(hidden.Contains),
            all.Where(p => !hidden.Contains(p)),
            training.MuonSettings(),
            training.AdamWSettings() with { WeightDecay = 0 },
            ModelMaker.TypeOf(training.Precision));
    }

    /// <summary>Returns the matrices inside the layers: neither embeddings nor head.</summary>
    private static IEnumerable<Parameter> HiddenMatrices(Transformer model) => ModelFamily.Of(model.Config.Family)
        .Parameters(model.Config)
        .Where(spec => spec.Shape.Rank == 2
            && spec.Kind is not (ParameterKind.TokenEmbedding or ParameterKind.PositionEmbedding or ParameterKind.Head))
        .Select(spec => model.Parameters[spec.Kind, spec.Layer]);
}
