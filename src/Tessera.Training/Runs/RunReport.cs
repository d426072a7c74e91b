using System.Text.Json;
using Tessera.Tensors.Files;

namespace Tessera.Training.Runs;

/// <summary>
/// Writes report.html: one file that needs no network, with the curves of a run, and that loads itself again while the
/// run goes on.
/// </summary>
internal static class RunReport
{
    private const string Template = "Tessera.Training.Runs.report.html";
    private const string Place = "{/*run*/}";

    public static void Write(string path, RunHistory history, string recipe, int refreshSeconds)
    {
        // The default encoder escapes what could end the script.
        string data = JsonSerializer.Serialize(Content(history, recipe, refreshSeconds));
        AtomicFile.Write(path, ReadTemplate().Replace(Place, data, StringComparison.Ordinal));
    }

    private static object Content(RunHistory history, string recipe, int refreshSeconds) => new
    {
        name = history.Started?.Name ?? "run",
        refresh = history.Ended is null ? refreshSeconds : 0,
        started = history.Started is not { } s ? null : new
        {
            parameters = s.Parameters,
            steps = s.Steps,
            tokens = s.Tokens,
            flops = s.Flops,
            set = s.InstructionSet,
            threads = s.Threads,
            roof = s.Roof,
        },
        ended = history.Ended is not { } e ? null : new
        {
            finished = e.Finished,
            reason = e.Reason,
            seconds = e.Seconds,
        },
        last = history.Last is not { } l ? null : new
        {
            step = l.Step,
            loss = Finite(l.Loss),
            tokens = l.Tokens,
            speed = Finite(l.TokensPerSecond),
            share = Finite(l.RoofShare ?? double.NaN),
            left = Finite(l.SecondsLeft ?? double.NaN),
        },
        stages = history.Stages.Select(stage => new { stage.Name, stage.Step }),
        steps = history.Steps.Steps,
        loss = Column(history, 0),
        rate = Column(history, 1),
        norm = Column(history, 2),
        speed = Column(history, 3),
        share = Column(history, 4),
        measured = history.Measured.Select(m => new
        {
            step = m.Step,
            whole = m.Whole,
            sets = m.Results.Select(r => new
            {
                name = r.Name,
                bits = Finite(r.BitsPerByte),
                loss = Finite(r.Loss),
                perplexity = Finite(r.Perplexity),
                nats = Finite(r.NatsPerCharacter),
            }),
        }),
        samples = history.Samples.TakeLast(24).Reverse().Select(x => new { x.Step, x.Prompt, x.Text }),
        warnings = history.Warnings.Select(w => new { w.Step, w.Message }),
        checkpoint = history.Checkpoint?.Folder,
        recipe,
    };

    private static IEnumerable<double?> Column(RunHistory history, int column) =>
        history.Steps.Column(column).Select(Finite);

    /// <summary>JSON has no word for what is not a number; the curve has a gap there.</summary>
    private static double? Finite(double value) => double.IsFinite(value) ? value : null;

    private static string ReadTemplate()
    {
        using Stream stream = typeof(RunReport).Assembly.GetManifestResourceStream(Template)
            ?? throw new InvalidOperationException($"RunReport: the library lacks {Template}");
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }
}
