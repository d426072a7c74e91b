using System.Globalization;
using Tessera.Tensors.Memory;
using Tessera.Training.Recipes;
using Tessera.Training.Runs;

namespace Tessera.Cli.Commands;

/// <summary>
/// Shows a training run on standard error: one line that moves (bar, loss, speed, time left), and a line that stays for
/// each measurement, sample and checkpoint. Where standard error is no terminal, the moving line becomes one in fifty
/// steps.
/// </summary>
internal sealed class TerminalProgress(Recipe recipe) : IProgress<RunEvent>, IDisposable
{
    private const int BarWidth = 24;
    private const int StepsALine = 50;
    private readonly bool _terminal = !Console.IsErrorRedirected;
    private long _steps;
    private string _folder = "";
    private string _line = "";

    public void Report(RunEvent value)
    {
        switch (value)
        {
            case RunStarted started: Started(started); break;
            case DataRead read: Move($"reading {Path.GetFileName(read.File)}: {read.TextBytes / 1e6:F1} MB"); break;
            case StageStarted stage: Stage(stage); break;
            case StepDone step: Step(step); break;
            case Measured measured: Stay($"step {measured.Step:N0}: {Describe(measured)}"); break;
            case Sampled sample: Stay(Describe(sample)); break;
            case CheckpointWritten written: Stay(Describe(written)); break;
            case Warned warned: Stay($"warning: {warned.Message}"); break;
            case RunEnded ended: Ended(ended); break;
            default: break;
        }
    }

    public void Dispose() => Clear();

    private void Started(RunStarted started)
    {
        _steps = started.Steps;
        _folder = Path.GetRelativePath(Environment.CurrentDirectory, started.Folder);
        double seconds = started.Roof > 0 ? started.Flops / (0.45 * started.Roof) : 0;
        string length = started.Steps > 0
            ? $"{Count(started.Tokens)} tokens in {started.Steps:N0} steps, {Count(started.Flops)} operations"
            : "as many steps as the passes over the data take";
        Stay($"{started.Name}: {Count(started.Parameters)} parameters, {length}");
        string expected = started.Steps > 0 ? $"expected: {Time(seconds)} at 45 % of" : "on";
        Stay(
            $"{expected} this machine's {started.Roof / 1e9:F0} GFLOP/s "
            + $"({started.InstructionSet}, {started.Threads} threads); "
            + $"{AvailableMemory.InWords(started.MemoryBytes)} of memory");
        string where = started.Resumed ? "going on in" : "in";
        Stay($"{where} {_folder}: watch report.html there; Ctrl-C writes a checkpoint and stops");
    }

    private void Stage(StageStarted stage)
    {
        // Where a recipe states passes, the steps are known once the data has been read.
        _steps = Math.Max(_steps, stage.Step + stage.Steps);
        Stay(Describe(stage));
        Move("the first step takes longer: code is compiled and memory taken");
    }

    private void Ended(RunEnded ended)
    {
        Stay($"{ended.Reason}: {ended.Step:N0} steps in {Time(ended.Seconds)}");
        if (!ended.Finished)
        {
            string folder = _folder.Contains(' ', StringComparison.Ordinal) ? $"'{_folder}'" : _folder;
            Stay($"go on with: tessera train -o {folder} --resume");
        }
    }

    private void Step(StepDone step)
    {
        double done = _steps > 0 ? Math.Min(1, step.Step / (double)_steps) : 0;
        string bar = new string('█', (int)(done * BarWidth)).PadRight(BarWidth, '░');
        string left = step.SecondsLeft is { } seconds ? $", {Time(seconds)} left" : "";
        string roof = step.RoofShare is { } share ? $" ({share:P0} of the roof)" : "";
        string line = $"{bar} {step.Step:N0}/{_steps:N0}  loss {step.Loss:F3}  "
            + $"{step.TokensPerSecond:N0} tokens/s{roof}{left}";
        if (_terminal)
        {
            Move(line);
        }
        else if (step.Step % StepsALine == 0)
        {
            StandardStreams.Error.WriteLine(line);
        }
    }

    /// <summary>Returns a time in hours, minutes and seconds; the hours go on past a day.</summary>
    internal static string Time(double seconds)
    {
        // More than a span can hold stands for a recipe that nobody would wait for.
        TimeSpan time = TimeSpan.FromSeconds(Math.Min(seconds, 1e11));
        return string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalHours}:{time:mm\\:ss}");
    }

    private static string Describe(CheckpointWritten written) =>
        $"step {written.Step:N0}: checkpoint{(written.Best ? ", the best so far" : "")}";

    private string Describe(StageStarted stage) =>
        $"stage {stage.Index + 1} of {recipe.Stages.Count}: {stage.Name}, {stage.Steps:N0} steps";

    // What a model says must not steer the terminal, and stays on its line.
    private static string Describe(Sampled sample) => AnswerOutput.Harmless(
        $"step {sample.Step:N0}: “{sample.Prompt}”{sample.Text}".ReplaceLineEndings(" ⏎ "));

    private static string Describe(Measured measured) => string.Join(", ", measured.Results.Select(r =>
        string.Create(CultureInfo.InvariantCulture, $"{r.Name} {r.BitsPerByte:F3} bits/byte (loss {r.Loss:F3})")));

    private static string Count(double value) => value switch
    {
        >= 1e15 => $"{value / 1e15:F1} P",
        >= 1e12 => $"{value / 1e12:F1} T",
        >= 1e9 => $"{value / 1e9:F1} G",
        >= 1e6 => $"{value / 1e6:F1} M",
        _ => $"{value:N0}",
    };

    private void Stay(string line)
    {
        Clear();
        StandardStreams.Error.WriteLine(line);
    }

    private void Move(string line)
    {
        if (!_terminal)
        {
            return;
        }

        int width = Math.Max(20, Console.WindowWidth - 1);
        string cut = line.Length > width ? line[..width] : line;
        StandardStreams.Error.Write("\r" + cut.PadRight(_line.Length));
        _line = cut;
    }

    private void Clear()
    {
        if (_line.Length > 0)
        {
            StandardStreams.Error.Write("\r" + new string(' ', _line.Length) + "\r");
            _line = "";
        }
    }
}
