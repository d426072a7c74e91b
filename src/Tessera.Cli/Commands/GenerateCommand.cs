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
        NumberOption maxTokens = NumberOption.Whole(
            "--max-tokens", "How many tokens to add at most [default: up to the end of the context]", 1);
        Option<string[]> stop = new("--stop") { Description = "A text that ends the answer", HelpName = "text" };
        Option<bool> json = new("--json") { Description = "Write one JSON object when all is done" };
        command.Arguments.Add(model);
        command.Options.Add(prompt);
        command.Options.Add(maxTokens.Option);
        NumberOption context = NumberOption.Context();
        command.Options.Add(context.Option);
        SamplingArguments sampling = new(command);
        command.Options.Add(stop);
        command.Options.Add(json);
        command.SetAction(arguments =>
        {
            string folder = ModelFolder.Find(arguments.GetValue(model));
            using ChatModel loaded = ChatModel.Load(
                folder, new EngineOptions { MaxConcurrent = 1, ContextLength = context.Int(arguments) });
            string text = arguments.GetRequiredValue(prompt);
            if (text.Length == 0 && loaded.BeginToken is null)
            {
                throw new CommandFailedException(
                    $"--prompt is empty, and {loaded.Name} has no token that begins a text; give it some words");
            }

            GenerationRequest request = loaded.Continue(text) with
            {
                MaxTokens = maxTokens.Int(arguments),
                Sampling = sampling.Apply(arguments, loaded.Sampling),
                StopStrings = arguments.GetValue(stop)?.Where(one => one.Length > 0).ToArray() ?? [],
            };
            using Generation generation = loaded.Engine.Generate(request);
            if (arguments.GetValue(json))
            {
                WriteJson(loaded.Name, text, request, generation);
            }
            else
            {
                WriteText(generation);
            }
        });
        return command;
    }

    private static void WriteText(Generation generation)
    {
        foreach (GenerationPiece piece in generation.Read())
        {
            AnswerOutput.Write(piece.Text);
        }

        AnswerOutput.End();
    }

    private static void WriteJson(string model, string prompt, GenerationRequest request, Generation generation)
    {
        string answer = string.Concat(generation.Read().Select(piece => piece.Text));
        using MemoryStream bytes = new();
        using (Utf8JsonWriter json = new(bytes, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("model", model);
            json.WriteString("prompt", prompt);
            json.WriteString("text", answer);
            json.WriteString("finish_reason", generation.FinishReason == FinishReason.Length ? "length" : "stop");
            json.WriteNumber("prompt_tokens", generation.PromptTokens);
            json.WriteNumber("completion_tokens", generation.CompletionTokens);
            json.WriteNumber("seed", (long)request.Sampling.Seed); // as --seed takes it
            json.WriteEndObject();
        }

        StandardStreams.Output.WriteLine(Encoding.UTF8.GetString(bytes.ToArray()));
    }
}
