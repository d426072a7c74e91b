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
            int[] tokens = [encoder.EndOfText, .. encoder.Tokenizer.Encode(prompt)];
            using Generation generation = engine.Generate(new GenerationRequest
            {
                Prompt = tokens,
                MaxTokens = Math.Max(1, Math.Min(samples.Tokens, model.Config.ContextLength - tokens.Length)),
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
}
