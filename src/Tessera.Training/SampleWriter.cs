using Tessera.Inference;
using Tessera.Inference.Sampling;
using Tessera.Models;
using Tessera.Training.Data;
using Tessera.Training.Recipes;
using Tessera.Training.Runs;

namespace Tessera.Training;

/// <summary>Lets the model write, in the engine that serves it, on the weights that are being trained.</summary>
internal static class SampleWriter
{
    /// <summary>Requires that each prompt leaves room for a token: not found out in the middle of a run.</summary>
    /// <exception cref="InvalidDataException">One doesn't; the message names it.</exception>
    public static void RequireRoom(Recipe recipe, TokenizerEncoder encoder, int contextLength)
    {
        foreach ((int i, string prompt) in recipe.Samples.Prompts.Index())
        {
            int length = Tokens(prompt, encoder).Length;
            if (length >= contextLength)
            {
                throw new InvalidDataException(
                    $"samples.prompts.{i} has {length} tokens, and the context of {contextLength} needs room for at "
                    + "least one more; shorten it");
            }
        }
    }

    /// <summary>Writes one sample for each of the recipe's prompts.</summary>
    public static void Write(TrainingRun run, Transformer model, TokenizerEncoder encoder)
    {
        SamplesRecipe samples = run.Recipe.Samples;
        if (samples.Prompts.Count == 0)
        {
            return;
        }

        using Engine engine = new(model, encoder.Tokenizer, new EngineOptions { MaxConcurrent = 1 });
        foreach (string prompt in samples.Prompts)
        {
            int[] tokens = Tokens(prompt, encoder);
            using Generation generation = engine.Generate(new GenerationRequest
            {
                Prompt = tokens,
                MaxTokens = samples.Tokens,
                StopTokens = [encoder.EndOfText],
                Sampling = new SamplingOptions
                {
                    Temperature = samples.Temperature,
                    Seed = unchecked((ulong)run.Recipe.Seed),
                },
            });
            GenerationPiece whole = generation.ReadToEndAsync().GetAwaiter().GetResult();
            run.Report(new Sampled { Prompt = prompt, Text = whole.Text });
        }
    }

    private static int[] Tokens(string prompt, TokenizerEncoder encoder) =>
        [encoder.EndOfText, .. encoder.Tokenizer.Encode(prompt)];
}
