using System.Text.Json;
using System.Text.RegularExpressions;
using Tessera.Training.Recipes;
using Tessera.Training.Runs;
using Xunit;

namespace Tessera.Training.Tests.Runs;

public sealed partial class RunLogTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly StillTime _time = new();
    private readonly List<RunEvent> _seen = [];
    private readonly RunFolder _run;

    public RunLogTests() => _run = RunFolder.Create(
        Path.Combine(_folder.Path, "run"),
        RecipeReader.Read("name: mine\ndata: {sources: a.txt}\ntraining: {steps: 5}", "r", "/x"));

    public void Dispose()
    {
        _run.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void TheReportHoldsTheRunAndNeedsNothingElse()
    {
        using RunLog log = NewLog();
        foreach (RunEvent what in RunEventTests.One)
        {
            log.Report(what);
        }

        string report = File.ReadAllText(_run.ReportPath);
        Assert.DoesNotMatch(@"https?://(?!www\.w3\.org/2000/svg)", report);
        JsonElement data = Data(report);
        Assert.Equal("n", data.GetProperty("name").GetString());
        Assert.Equal(0, data.GetProperty("refresh").GetInt32());
        Assert.Equal("\n</script> 你好", data.GetProperty("samples")[0].GetProperty("Text").GetString());
        Assert.Equal(JsonValueKind.Null, data.GetProperty("loss")[0].ValueKind);
        Assert.Equal("wiki", data.GetProperty("measured")[0].GetProperty("sets")[0].GetProperty("name").GetString());
        Assert.Equal(RunEventTests.One, _seen);
    }

    [Fact]
    public void TheReportIsWrittenAnewAtIntervals()
    {
        using RunLog log = NewLog();
        log.Report(RunEventTests.One[0]);
        log.Report(new StepDone { Step = 1, Loss = 2 });
        Assert.Equal(0, Data(File.ReadAllText(_run.ReportPath)).GetProperty("steps").GetArrayLength());
        _time.Seconds = 30;
        log.Report(new StepDone { Step = 2, Loss = 2 });
        JsonElement data = Data(File.ReadAllText(_run.ReportPath));
        Assert.Equal(2, data.GetProperty("steps").GetArrayLength());
        Assert.True(data.GetProperty("refresh").GetInt32() > 0);
    }

    [Fact]
    public void ARunThatGoesBackForgetsWhatCameAfter()
    {
        using (RunLog log = NewLog())
        {
            for (int step = 1; step <= 9; step++)
            {
                log.Report(new StepDone { Step = step, Loss = step });
            }

            log.GoBackTo(4);
            log.Report(new StepDone { Step = 5, Loss = 50 });
        }

        JsonElement losses = Data(File.ReadAllText(_run.ReportPath)).GetProperty("loss");
        Assert.Equal([1, 2, 3, 4, 50], losses.EnumerateArray().Select(l => l.GetDouble()));
        Assert.Equal(5, File.ReadAllLines(Path.Combine(_run.Path, "metrics.jsonl")).Length);
    }

    [Fact]
    public void AReportThatCannotBeWrittenIsSaidOnceAndStopsNothing()
    {
        Directory.CreateDirectory(Path.Combine(_run.ReportPath, "in the way"));
        using RunLog log = NewLog();
        log.Report(RunEventTests.One[0]);
        log.Report(RunEventTests.One[4]);
        Warned warning = Assert.Single(_seen.OfType<Warned>());
        Assert.Contains("report.html", warning.Message, StringComparison.Ordinal);
        Assert.Equal(2, File.ReadAllLines(Path.Combine(_run.Path, "metrics.jsonl")).Length);
    }

    [Fact]
    public void ALongRunIsMeansOfNeighboursInBoundedMemory()
    {
        Curve curve = new(1);
        for (int step = 1; step <= 100_000; step++)
        {
            curve.Add(step, step);
        }

        Assert.InRange(curve.Steps.Count, 600, 1200);
        Assert.Equal(100_000, curve.Steps[^1]);
        double[] points = [.. curve.Column(0)];

        // A point is the mean of the steps since the one before: half a stride behind its own.
        for (int i = 1; i < points.Length; i++)
        {
            Assert.Equal((curve.Steps[i - 1] + 1 + curve.Steps[i]) / 2.0, points[i], 1e-6);
        }
    }

    private static JsonElement Data(string report) =>
        JsonDocument.Parse(Script().Match(report).Groups[1].Value).RootElement;

    [GeneratedRegex("<script type=\"application/json\" id=\"run\">(.*?)</script>", RegexOptions.Singleline)]
    private static partial Regex Script();

    private RunLog NewLog() => new(_run, new Listener(_seen), _time);

    private sealed class Listener(List<RunEvent> seen) : IProgress<RunEvent>
    {
        public void Report(RunEvent value) => seen.Add(value);
    }

    private sealed class StillTime : TimeProvider
    {
        public long Seconds { get; set; }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Seconds;
    }
}
