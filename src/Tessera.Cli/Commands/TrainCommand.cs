using System.CommandLine;
using System.Runtime.InteropServices;
using Tessera.Tensors.Memory;
using Tessera.Training;
using Tessera.Training.Recipes;
using Tessera.Training.Runs;

namespace Tessera.Cli.Commands;

/// <summary><c>tessera train</c>: makes a model by a recipe, or from one's own text.</summary>
internal static class TrainCommand
{
    /// <summary>The exit code of a run that was stopped behind a checkpoint: no error, but no end either.</summary>
    private const int Stopped = 130;

    public static Command Create()
    {
        Argument<string?> recipe = new("RECIPE")
        {
            Description = "A recipe: a YAML file, or the name of one in recipes/",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<string[]> data = new("--data")
        {
            Description = "Your own text: files, folders or globs (.txt, .md, .jsonl, gzipped or not)",
            AllowMultipleArgumentsPerToken = true,
        };
        NumberOption depth = NumberOption.Whole(
            "--depth", "The one dial: layers; width, batch and tokens follow from it", 1, 128);
        Option<string[]> set = new("--set") { Description = "Change a key of the recipe: --set training.steps=200" };
        Option<string?> output = new("--output", "-o")
        {
            Description = "The run's folder (runs/NAME where nothing is said)",
        };
        Option<bool> resume = new("--resume") { Description = "Go on from the newest checkpoint of the run's folder" };
        Option<bool> json = new("--json") { Description = "Write events as JSON lines to standard output" };
        TesseraCommand command = new(
            "train",
            "Make a model: tokenizer, pretraining, fine-tuning, in a run that can be stopped at any time.")
        {
            Examples =
            [
                ("tessera train shakespeare-char-cpu", "follow a recipe of recipes/"),
                ("tessera train --data my-books/*.txt", "learn your own text"),
                ("tessera train --data notes.md --depth 6 --set training.tokens=5M", "set the size and the length"),
                ("tessera train shakespeare-char-cpu --resume", "go on where it was stopped, or killed"),
            ],
        };
        command.Arguments.Add(recipe);
        foreach (Option option in (Option[])[data, depth.Option, set, output, resume, json])
        {
            command.Options.Add(option);
        }

        command.SetAction(arguments => Run(
            new Choice(
                arguments.GetValue(recipe),
                arguments.GetValue(data) ?? [],
                depth.Int(arguments),
                arguments.GetValue(set) ?? [],
                arguments.GetValue(output),
                arguments.GetValue(resume)),
            arguments.GetValue(json)));
        return command;
    }

    private static int Run(Choice choice, bool json)
    {
        using CancellationTokenSource stop = new();
        using PosixSignalRegistration interrupt = Catch(PosixSignal.SIGINT, stop);
        using PosixSignalRegistration terminate = Catch(PosixSignal.SIGTERM, stop);
        try
        {
            using RunFolder folder = choice.Open();
            IProgress<RunEvent> display = json ? new JsonProgress() : new TerminalProgress(folder.Recipe);
            using IDisposable? shown = display as IDisposable;
            using TrainingRun run = new(folder, display, TimeProvider.System);
            return run.Run(stop.Token) ? 0 : Stopped;
        }
        catch (RecipeException wrong)
        {
            throw new CommandFailedException(wrong.Message);
        }
    }

    /// <summary>Lets a signal ask for an end behind a checkpoint; a second one ends the process as usual.</summary>
    private static PosixSignalRegistration Catch(PosixSignal signal, CancellationTokenSource stop) =>
        PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = !stop.IsCancellationRequested;
            if (context.Cancel)
            {
                StandardStreams.Error.WriteLine("\nstopping behind the next checkpoint; once more ends it at once");
            }

            stop.Cancel();
        });

    // Four layers learn from a text of a few megabytes in minutes.
    private const int DefaultDepth = 4;

    private sealed record Choice(string? Recipe, string[] Data, int? Depth, string[] Set, string? Output, bool Resume)
    {
        public RunFolder Open()
        {
            if (Resume)
            {
                return RunFolder.Open(Output ?? FolderOf(Load()));
            }

            Recipe recipe = Load();
            TrainingMemory.Of(recipe).Require(AvailableMemory.Bytes()); // before there is a folder
            return RunFolder.Create(Output ?? FolderOf(recipe), recipe);
        }

        // A recipe from somewhere must not choose a folder outside of runs/.
        private static string FolderOf(Recipe recipe) =>
            recipe.Name == Path.GetFileName(recipe.Name) && recipe.Name is not ("." or "..")
                ? Path.Combine("runs", recipe.Name)
                : throw new RecipeException(
                    $"name is \"{recipe.Name}\", which is no folder's name; say where the run goes with --output");

        // A path of the command line starts from the working folder, a recipe's own from the recipe's.
        private static string Quoted(string path) =>
            $"'{(path.Length > 0 ? Path.GetFullPath(path) : path).Replace("'", "''", StringComparison.Ordinal)}'";

        private Recipe Load()
        {
            if (Recipe is not null)
            {
                string[] depth = Depth is { } given ? [$"depth={given}"] : [];
                string[] sources = Data.Length > 0 ? [$"data.sources=[{string.Join(", ", Data.Select(Quoted))}]"] : [];
                return RecipeReader.Load(RecipeFiles.Find(Recipe), [.. depth, .. sources, .. Set]);
            }

            return Data.Length > 0
                ? RecipeReader.OfTexts(Data, Depth ?? DefaultDepth, Environment.CurrentDirectory, Set)
                : throw new RecipeException("train: name a recipe, or give your own text with --data FILE…");
        }
    }

    private sealed class JsonProgress : IProgress<RunEvent>
    {
        public void Report(RunEvent value) => StandardStreams.Output.WriteLine(value.ToJson());
    }
}
