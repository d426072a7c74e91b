using System.CommandLine;
using System.Text.Json;
using Tessera.Models;
using Tessera.Models.Checkpoints;
using Tessera.Tensors;
using Tessera.Tensors.Memory;
using Tessera.Training;
using Tessera.Training.Data;
using Tessera.Training.Evaluation;

namespace Tessera.Cli.Commands;

/// <summary><c>tessera evaluate-loss</c>: what text costs under a model, in bits a byte and as perplexity.</summary>
internal static class EvaluateLossCommand
{
    public static Command Create()
    {
        Argument<string?> model = ModelFolder.Argument();
        Option<string[]> data = new("--data")
        {
            Description = "Text to measure on: files, folders or globs; each is a set of its own",
            AllowMultipleArgumentsPerToken = true,
            Required = true,
        };
        NumberOption context = NumberOption.Whole(
            "--context", "Tokens of a window [default: the model's context]", 1, 1 << 28);
        Option<bool> json = new("--json") { Description = "Write the results as JSON" };
        TesseraCommand command = new(
            "evaluate-loss",
            "Measure what text costs under a model: every token of <|endoftext|> text <|endoftext|>, in windows "
            + "without overlap.")
        {
            Examples =
            [
                ("tessera evaluate-loss runs/my-model/model --data held-out.txt", "bits a byte, perplexity and loss"),
                ("tessera evaluate-loss tessera-nano --data stories.jsonl.gz --context 256 --json", "for programs"),
            ],
        };
        command.Arguments.Add(model);
        foreach (Option option in (Option[])[data, context.Option, json])
        {
            command.Options.Add(option);
        }

        command.SetAction(arguments => Run(
            ModelFolder.Find(arguments.GetValue(model)),
            arguments.GetValue(data)!,
            context.Int(arguments),
            arguments.GetValue(json)));
        return command;
    }

    private static int Run(string folder, string[] data, int? context, bool json)
    {
        using StoredModel stored = StoredModel.Open(folder);
        TokenizerEncoder encoder = new(stored.ReadTokenizer());
        int window = Math.Min(context ?? stored.Config.ContextLength, stored.Config.ContextLength);
        RequireMemory(stored, window);
        Transformer model = stored.Serve(DType.F32, window);
        BadLines badLines = new(BadLines.DefaultLimit);
        TokenCache cache = new(TokenCache.DefaultFolder);
        List<HeldOutSet> sets = [];
        try
        {
            foreach (string file in data.SelectMany(path => SourceFiles.Find(path)))
            {
                sets.Add(new HeldOutSet(file, [cache.Open(file, DocumentSlice.All, encoder, badLines)]));
            }

            Print(new ModelEvaluation(model, encoder, window, sets).Measure(), json);
            return 0;
        }
        finally
        {
            foreach (TokenFile file in sets.SelectMany(s => s.Files))
            {
                file.Dispose();
            }
        }
    }

    private static void RequireMemory(StoredModel stored, int window)
    {
        TransformerMemory memory = new(stored.Config);
        double weights = (memory.MultipliedParameters * sizeof(float)) + stored.UnpackedBytes;
        double rows = window * (memory.RowBytes(DType.F32) + memory.PositionBytes);
        long available = AvailableMemory.Bytes();
        string advice = weights > available ? "take a smaller model" : "give a smaller window with --context";
        AvailableMemory.Require(
            $"{stored.Location} with windows of {window:N0} tokens", weights + rows, available, advice);
    }

    private static void Print(IReadOnlyList<HeldOutResult> results, bool json)
    {
        if (json)
        {
            StandardStreams.Output.WriteLine(JsonSerializer.Serialize(results.Select(r => new
            {
                name = r.Name,
                documents = r.Documents,
                predictions = r.Predictions,
                bytes = r.Bytes,
                bits_per_byte = r.BitsPerByte,
                loss = r.Loss,
                perplexity = r.Perplexity,
            })));
            return;
        }

        foreach (HeldOutResult r in results)
        {
            StandardStreams.Output.WriteLine(
                $"{r.Name}: {r.BitsPerByte:F4} bits/byte, perplexity {r.Perplexity:F2}, loss {r.Loss:F4} "
                + $"over {r.Predictions:N0} tokens");
        }
    }
}
