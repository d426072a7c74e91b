using System.CommandLine;
using System.Net;
using System.Runtime.InteropServices;
using Tessera.Inference;
using Tessera.Server;

namespace Tessera.Cli.Commands;

/// <summary>Offers a model over HTTP.</summary>
internal static class ServeCommand
{
    // Answers that are being written when the server is told to stop may take this long to end.
    private static readonly TimeSpan _grace = TimeSpan.FromSeconds(5);

    public static Command Create()
    {
        TesseraCommand command = new("serve", "Offer a model over HTTP, in the form of OpenAI's API.")
        {
            Examples =
            [
                ("tessera serve", "serve the bundled model to this machine, on port 8080"),
                ("tessera serve ./my-model --host 0.0.0.0 --api-key \"$KEY\"", "serve those who have the key"),
                ("curl localhost:8080/v1/chat/completions -H 'Content-Type: application/json' \\\n"
                    + "      -d '{\"model\":\"tessera-nano\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi!\"}]}'",
                    "ask it something"),
            ],
        };
        Argument<string?> model = ModelFolder.Argument();
        ServerOptions usual = new();
        Option<string> host = new("--host")
        {
            Description = "The address to listen on; 0.0.0.0 for every network",
            DefaultValueFactory = _ => usual.Host,
            HelpName = "address",
        };
        NumberOption port = NumberOption.Whole(
            "--port", $"The port; 0 takes a free one [default: {usual.Port}]", 0, 65535);
        Option<string?> key = new("--api-key")
        {
            Description = "The key that clients must send; TESSERA_API_KEY is used where it is absent",
            HelpName = "key",
        };
        command.Arguments.Add(model);
        command.Options.Add(host);
        command.Options.Add(port.Option);
        command.Options.Add(key);
        NumberOption context = NumberOption.Context();
        command.Options.Add(context.Option);
        command.SetAction(arguments =>
        {
            ServerOptions options = Options(
                arguments.GetRequiredValue(host),
                port.Int(arguments) ?? usual.Port,
                arguments.GetValue(key) ?? Environment.GetEnvironmentVariable("TESSERA_API_KEY"));
            EngineOptions engine = new() { ContextLength = context.Int(arguments) };
            string path = ModelFolder.Find(arguments.GetValue(model));
            RunAsync(path, engine, options).GetAwaiter().GetResult();
        });
        return command;
    }

    private static ServerOptions Options(string host, int port, string? key)
    {
        try
        {
            return new ServerOptions { Host = host, Port = port, ApiKey = key };
        }
        catch (ArgumentException wrong)
        {
            throw new CommandFailedException(wrong.Message);
        }
    }

    private static async Task RunAsync(string folder, EngineOptions engine, ServerOptions options)
    {
        TextWriter log = StandardStreams.Error;
        using ChatModel model = ChatModel.Load(folder, engine);
        if (model.Template is null)
        {
            throw new CommandFailedException(
                $"{folder} has no chat template, which chat completions need; give a model made for conversations");
        }

        await using TesseraServer server = await StartAsync(model, options, log).ConfigureAwait(false);
        await log.WriteLineAsync($"{model.Name} listens on {server.Address}v1; Ctrl-C ends it").ConfigureAwait(false);
        bool reachable = options.Host != "localhost" && !IPAddress.IsLoopback(IPAddress.Parse(options.Host));
        if (options.ApiKey is null && reachable)
        {
            await log.WriteLineAsync("Anyone who reaches this address may use it; --api-key asks for a key")
                .ConfigureAwait(false);
        }

        TaskCompletionSource stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stopped.TrySetResult();
        }

        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        await stopped.Task.ConfigureAwait(false);
        using CancellationTokenSource patience = new(_grace);
        await server.StopAsync(patience.Token).ConfigureAwait(false);
    }

    private static async Task<TesseraServer> StartAsync(ChatModel model, ServerOptions options, TextWriter log)
    {
        try
        {
            return await TesseraServer.StartAsync(model, options, log).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or System.Net.Sockets.SocketException)
        {
            throw new CommandFailedException(
                $"can't listen on {options.Host}, port {options.Port}: {error.Message} "
                + "Choose another with --port or --host.");
        }
    }
}
