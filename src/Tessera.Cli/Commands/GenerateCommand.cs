using System.CommandLine;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Tessera.Inference;

namespace Tessera.Cli.Commands;

/// <summary>Continues a text.</summary>
internal static class GenerateCommand
{
    public static Command Create()
    {
        TesseraCommand command = new("generate", "Continue a text, as it stands and without a chat template.")
        {
            Examples =
            [
                ("tessera generate --prompt \"Once upon a time\" --max-tokens 100", "tell a story"),
                ("tessera generate ./my-model --prompt \"Q: 2+2\\nA:\" --max-tokens 5 --temperature 0 --json",
                    "always the same answer, as JSON with the numbers of tokens"),
            ],
        };
        Argument<string?> model = ModelFolder.Argument();
        Option<string> prompt = new("--prompt")
        {
            Description = "The text to continue",
            Required = true,
            HelpName = "text",
        };
        Option<int?> maxTokens = NumberOptions.Whole(
            "--max-tokens", "How many tokens to add at most [default: up to the end of the context]", 1);
        Option<string[]> stop = new("--stop") { Description = "A text that ends the answer", HelpName = "text" };
        Option<bool> json = new("--json") { Description = "Write one JSON object when all is done" };
        command.Arguments.Add(model);
        command.Options.Add(prompt);
        command.Options.Add(maxTokens);
        SamplingArguments sampling = new(command);
        command.Options.Add(stop);
        command.Options.Add(json);
        command.SetAction(arguments =>
        {
            string folder = ModelFolder.Find(arguments.GetValue(model));
            using ChatModel loaded = ChatModel.Load(folder, new EngineOptions { MaxConcurrent = 1 });
            string text = arguments.GetRequiredValue(prompt);
            if (text.Length == 0 && loaded.BeginToken is null)
            {
                throw new CommandFailedException(
                    $"--prompt is empty, and {loaded.Name} has no token that begins a text; give it some words");
            }

            GenerationRequest request = loaded.Continue(text) with
            {
                MaxTokens = arguments.GetValue(maxTokens),
                Sampling = sampling.Apply(arguments, loaded.Sampling),
                StopStrings = arguments.GetValue(stop)?.Where(one => one.Length > 0).ToArray() ?? [],
            };
            using Generation generation = loaded.Engine.Generate(request);
            Task written = arguments.GetValue(json)
                ? WriteJsonAsync(loaded.Name, text, request, generation)
                : WriteTextAsync(generation);
            written.GetAwaiter().GetResult();
        });
        return command;
    }

    private static async Task WriteTextAsync(Generation generation)
    {
        await foreach (GenerationPiece piece in generation.ReadAsync().ConfigureAwait(false))
        {
            await AnswerOutput.WriteAsync(piece.Text).ConfigureAwait(false);
        }

        await AnswerOutput.EndAsync().ConfigureAwait(false);
    }

    private static async Task WriteJsonAsync(
        string model, string prompt, GenerationRequest request, Generation generation)
    {
        GenerationPiece answer = await generation.ReadToEndAsync().ConfigureAwait(false);
        using MemoryStream bytes = new();
        using (Utf8JsonWriter json = new(bytes, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("model", model);
            json.WriteString("prompt", prompt);
            json.WriteString("text", answer.Text);
            json.WriteString("finish_reason", generation.FinishReason == FinishReason.Length ? "length" : "stop");
            json.WriteNumber("prompt_tokens", generation.PromptTokens);
            json.WriteNumber("completion_tokens", generation.CompletionTokens);
            json.WriteNumber("seed", request.Sampling.Seed);
            json.WriteEndObject();
        }

        await StandardStreams.Output.WriteLineAsync(Encoding.UTF8.GetString(bytes.ToArray())).ConfigureAwait(false);
    }
}
