using Tessera.Models;
using Tessera.Models.Checkpoints;
using Tessera.Tensors;
using Tessera.Training.Data;
using Tessera.Training.Recipes;

namespace Tessera.Training;

/// <summary>Makes the model that a recipe describes, and the files that go with it in a checkpoint.</summary>
public static class ModelMaker
{
    // What small models answer with by themselves: cooler than 1, since much of their probability lies on nonsense.
    private const double Temperature = 0.6;
    private const double TopP = 0.9;

    /// <summary>Returns the configuration of the recipe's model for a tokenizer.</summary>
    public static TransformerConfig Configure(Recipe recipe, TokenizerEncoder encoder)
    {
        int? endOfMessage = encoder.Tokenizer.TokenToId(TokenizerEncoder.EndMarker);
        int[] ends = endOfMessage is { } id ? [id, encoder.EndOfText] : [encoder.EndOfText];
        return recipe.Model.ToConfig(encoder.VocabularySize, recipe.Context, ends) with { BosId = encoder.EndOfText };
    }

    /// <summary>
    /// Returns a model of the recipe's first weights, trained in the arithmetic of <paramref name="precision"/>.
    /// </summary>
    public static Transformer Create(Recipe recipe, TokenizerEncoder encoder, Precision precision)
    {
        TransformerConfig config = Configure(recipe, encoder);
        Initialization initialization = new(config, unchecked((int)recipe.Seed), recipe.Model.InitialDeviation);
        ParameterSet parameters = new(config, initialization.Values);
        return new Transformer(config, parameters) { ComputeType = TypeOf(precision) };
    }

    /// <summary>Returns what products are computed in.</summary>
    public static DType TypeOf(Precision precision) => precision == Precision.Bf16 ? DType.BF16 : DType.F32;

    /// <summary>
    /// Returns the small files of a checkpoint: tokenizer, its settings, the chat template where the tokenizer has its
    /// markers.
    /// </summary>
    public static CheckpointFiles Files(TransformerConfig config, TokenizerEncoder encoder)
    {
        bool chat = encoder.Tokenizer.TokenToId(TokenizerEncoder.StartMarker) is not null
            && encoder.Tokenizer.TokenToId(TokenizerEncoder.EndMarker) is not null;
        return new CheckpointFiles
        {
            Generation = new GenerationConfig
            {
                BosId = config.BosId,
                EosIds = config.EosIds,
                Sample = true,
                Temperature = Temperature,
                TopP = TopP,
            },
            TokenizerJson = System.Text.Encoding.UTF8.GetBytes(encoder.Tokenizer.ToJson()),
            Tokenizer = new TokenizerSettings
            {
                BosToken = encoder.Tokenizer.IdToToken(encoder.EndOfText),
                EosToken = encoder.Tokenizer.IdToToken(config.EosIds[0]),
                MaximumLength = config.ContextLength,
            },
            ChatTemplate = chat ? TokenizerEncoder.ChatTemplate : null,
        };
    }
}
