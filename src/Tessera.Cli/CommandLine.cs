using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Tessera.Cli.Commands;
using Tessera.Inference;
using Tessera.Models.ChatTemplates;
using Tessera.Models.Tokenizers;
using Tessera.Tensors.Kernels;
using Tessera.Tensors.Threading;

namespace Tessera.Cli;

/// <summary>Holds all commands, and turns what goes wrong in them into one line that says what to do.</summary>
internal static class CommandLine
{
    /// <summary>The exit code of a command that failed.</summary>
    public const int Failed = 1;

    /// <summary>The exit code of a command line that can't be understood.</summary>
    public const int Misused = 2;

    private static readonly (string Name, Func<Command> Create)[] _commands =
    [
        ("chat", ChatCommand.Create),
        ("generate", GenerateCommand.Create),
        ("serve", ServeCommand.Create),
        ("inspect", InspectCommand.Create),
        ("tokenize", TokenizeCommand.Create),
        ("logits", LogitsCommand.Create),
        ("train", TrainCommand.Create),
        ("tokenizer", TokenizerCommand.Create),
        ("evaluate-loss", EvaluateLossCommand.Create),
        ("bench", BenchCommand.Create),
    ];

    /// <summary>Runs a command; returns the exit code.</summary>
    public static int Run(string[] args)
    {
        try
        {
            RequireSettings();
            ParseResult command = Create(args.Length > 0 ? args[0] : "").Parse(args);
            bool misused = command.Action is ParseErrorAction;
            if (command.Action is ParseErrorAction wrong)
            {
                // The whole help would hide the error.
                wrong.ShowHelp = false;
            }

            int code = command.Invoke(new InvocationConfiguration
            {
                Output = misused ? StandardStreams.Error : StandardStreams.Output,
                Error = StandardStreams.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            });
            return misused ? Hint(command) : code;
        }
        catch (CommandFailedException error)
        {
            return Fail(error.Message);
        }
        catch (UnauthorizedAccessException error)
        {
            return Fail($"{error.Message.TrimEnd('.')}; give your user the right to it, or take another place");
        }
        catch (Exception error) when (IsExpected(error))
        {
            return Fail(error.Message);
        }
        catch (Exception error)
        {
            return Fail(
                $"{error.GetType().Name}: {error.Message}\nThis is a fault of tessera's. Set TESSERA_TRACE=1 and run "
                + "it again to see where it happens.",
                error);
        }
    }

    /// <summary>
    /// Makes the command that is wanted, or all of them to choose from: making one takes a millisecond.
    /// </summary>
    private static RootCommand Create(string wanted)
    {
        RootCommand root = new("Talk to, serve and make language models.");
        foreach ((string name, Func<Command> create) in _commands)
        {
            if (name == wanted)
            {
                root.Add(create());
            }
        }

        if (root.Subcommands.Count == 0)
        {
            foreach ((_, Func<Command> create) in _commands)
            {
                root.Add(create());
            }
        }

        HelpOption help = root.Options.OfType<HelpOption>().Single();
        ExampleHelp examples = new((HelpAction)help.Action!);
        help.Action = examples;
        root.SetAction(examples.Invoke);
        return root;
    }

    // What the environment asks of the tensors: a mistake there is the user's, and the same for every command.
    private static void RequireSettings()
    {
        try
        {
            _ = (Workers.Count, Processor.Default);
        }
        catch (InvalidOperationException error)
        {
            throw new CommandFailedException(error.Message);
        }
    }

    private static int Hint(ParseResult command)
    {
        Command named = command.CommandResult.Command;
        StandardStreams.Error.WriteLine($"See: tessera {(named is RootCommand ? "" : named.Name + " ")}--help");
        return Misused;
    }

    /// <summary>Returns whether an error's message says by itself what was wrong outside the program.</summary>
    private static bool IsExpected(Exception error) => error is IOException or InvalidDataException
        or ContextLengthException or ChatTemplateException or UnencodableTextException or InsufficientMemoryException;

    private static int Fail(string message, Exception? fault = null)
    {
        // A message may quote a file from outside, which must not steer the terminal.
        StandardStreams.Error.WriteLine($"tessera: {AnswerOutput.Harmless(message)}");
        if (fault is not null && Environment.GetEnvironmentVariable("TESSERA_TRACE") is "1")
        {
            StandardStreams.Error.WriteLine(fault);
        }

        return Failed;
    }
}
