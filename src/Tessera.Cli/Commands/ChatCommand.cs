using System.CommandLine;
using Tessera.Cli.Chat;
using Tessera.Inference;

namespace Tessera.Cli.Commands;

/// <summary>Talks to a model in the terminal.</summary>
internal static class ChatCommand
{
    public static Command Create()
    {
        TesseraCommand command = new("chat", "Talk to a model in the terminal.")
        {
            Examples =
            [
                ("tessera chat", "talk to the bundled model; /help shows what can be typed"),
                ("tessera chat ./my-model --system \"You are a pirate.\" --temperature 0.7", "talk to another one"),
                ("echo \"Tell me a story.\" | tessera chat > story.txt", "ask one thing and keep the answer"),
            ],
        };
        Argument<string?> model = ModelFolder.Argument();
        Option<string?> system = new("--system")
        {
            Description = "What the model is told before the talk",
            HelpName = "text",
        };
        NumberOption maxTokens = NumberOption.Whole("--max-tokens", "How many tokens an answer has at most", 1);
        command.Arguments.Add(model);
        command.Options.Add(system);
        command.Options.Add(maxTokens.Option);
        NumberOption context = NumberOption.Context();
        command.Options.Add(context.Option);
        SamplingArguments sampling = new(command);
        command.SetAction(arguments =>
        {
            string folder = ModelFolder.Find(arguments.GetValue(model));
            using ChatModel loaded = ChatModel.Load(
                folder, new EngineOptions { MaxConcurrent = 1, ContextLength = context.Int(arguments) });
            if (loaded.Template is null)
            {
                throw new CommandFailedException(
                    $"{folder} has no chat template for a conversation; 'tessera generate' continues a text");
            }

            GenerationRequest asked = new()
            {
                Prompt = [],
                Sampling = sampling.Apply(arguments, loaded.Sampling),
                MaxTokens = maxTokens.Int(arguments),
            };
            ChatSession session = new(loaded, asked) { System = arguments.GetValue(system) };
            ChatTerminal terminal = new();
            bool answered = new ChatLoop(loaded, session, terminal).Run();

            // A person has read what went wrong; a script reads the exit code.
            return answered || terminal.IsInteractive ? 0 : CommandLine.Failed;
        });
        return command;
    }
}
