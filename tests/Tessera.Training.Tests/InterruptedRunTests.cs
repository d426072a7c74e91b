using Tessera.Training.Recipes;
using Tessera.Training.Runs;
using Xunit;

namespace Tessera.Training.Tests;

/// <summary>Stops small runs at chosen places, damages what they left, and goes on.</summary>
public sealed class InterruptedRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public InterruptedRunTests() => _folder.Write(
        "a.jsonl",
        string.Concat(Enumerable.Range(0, 200).Select(i => $"{{\"text\":\"the cat number {i} sat on the mat\"}}\n")));

    private string RunPath => Path.Combine(_folder.Path, "run");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void AStopBehindACheckpointDoesNotForgetWhatWasMeasured()
    {
        Create("training: {steps: 20}\nevaluation: {every: 5}\ncheckpoints: {every: 5}");
        (_, bool finished) = Run(stopAt: what => what is CheckpointWritten { Step: 5 });
        Assert.False(finished);
        using RunFolder folder = RunFolder.Open(RunPath);
        TrainingState state = folder.Checkpoints.Newest()!.State;
        Assert.Equal(5, state.Step);
        Assert.NotNull(state.HeldOutLoss);
        Assert.Equal(5, folder.Checkpoints.Best()!.State.Step);
    }

    // A rate of 0 changes nothing: the first measurement of a stage is its lowest, and each after it counts as a rise.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AStageThatEndsEarlyIsNotGoneOnWithAndTheNextOneCountsAnew(bool interrupted)
    {
        Create("""
            training: {steps: 9, learning_rate: 0}
            evaluation: {every: 1, stop_after_rises: 2}
            stages: [{name: one}, {name: two}]
            """);
        bool finished = false;
        if (interrupted)
        {
            (_, finished) = Run(stopAt: what => what is CheckpointWritten { Step: 3 });
            Assert.False(finished);
        }

        (List<RunEvent> events, finished) = Run();
        Assert.True(finished);
        Assert.Equal(6, events.OfType<RunEnded>().Single().Step);
        Assert.Equal(3, events.OfType<StageStarted>().Single(stage => stage.Index == 1).Step);
    }

    [Fact]
    public void ANewerCheckpointThatIsBrokenIsToldInTheMetricsToo()
    {
        Create("training: {steps: 20}\ncheckpoints: {every: 5}");
        Run(stopAt: what => what is CheckpointWritten { Step: 10 });
        File.Delete(Path.Combine(RunPath, "checkpoints", "step-10", "model.safetensors"));
        (List<RunEvent> events, bool finished) = Run();
        Assert.True(finished);
        string message = Assert.Single(events.OfType<Warned>()).Message;
        Assert.Contains("step-10: model.safetensors is missing", message, StringComparison.Ordinal);
        Assert.Single(File.ReadLines(Path.Combine(RunPath, "metrics.jsonl")), line => line.Contains("is missing"));
    }

    [Fact]
    public void WithoutAWholeCheckpointNothingIsDeletedOrBegunAnew()
    {
        Create("training: {steps: 20}\ncheckpoints: {every: 5}");
        Run(stopAt: what => what is CheckpointWritten { Step: 5 });
        string weights = Path.Combine(RunPath, "checkpoints", "step-5", "model.safetensors");
        byte[] bytes = File.ReadAllBytes(weights);
        File.Delete(weights);
        InvalidDataException e = Assert.Throws<InvalidDataException>(() => Run());
        Assert.Contains("model.safetensors is missing", e.Message, StringComparison.Ordinal);

        File.WriteAllBytes(weights, bytes);
        (List<RunEvent> events, _) = Run();
        Assert.Equal(6, events.OfType<StepDone>().First().Step);
    }

    [Theory]
    [InlineData("optimizer: adamw", "optimizer: muon", "optimizer.safetensors: tensor")]
    [InlineData("width: 16", "width: 24", "is not of the recipe's model")]
    [InlineData("  - name: \"two\"", "", "is of stage 2, and the recipe has 1")]
    public void ARecipeThatWasChangedIsSaid(string old, string changed, string message)
    {
        Create("training: {steps: 6}\ncheckpoints: {every: 5}\nstages: [{name: one}, {name: two}]");
        Run(stopAt: what => what is CheckpointWritten { Step: 11 });
        string path = Path.Combine(RunPath, "recipe.yaml"), recipe = File.ReadAllText(path);
        int at = recipe.IndexOf("- name: \"two\"", StringComparison.Ordinal);
        Assert.True(at > 0, recipe);
        File.WriteAllText(path, changed.Length == 0 ? recipe[..at].TrimEnd() : recipe.Replace(old, changed));
        InvalidDataException e = Assert.Throws<InvalidDataException>(() => Run());
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.Contains("the recipe has changed", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void APromptThatFillsTheContextIsSaidBeforeTheFirstStep()
    {
        Create($"training: {{steps: 5}}\nsamples: {{prompts: [a, '{new string('b', 64)}'], every: 2}}");
        InvalidDataException e = Assert.Throws<InvalidDataException>(() => Run());
        Assert.Contains("samples.prompts.1", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("\"step\"", File.ReadAllText(Path.Combine(RunPath, "metrics.jsonl")));
    }

    [Fact]
    public void BadLinesAreTold()
    {
        string path = Path.Combine(_folder.Path, "a.jsonl");
        File.AppendAllText(path, "{}\n");
        Create("training: {steps: 1}");
        (List<RunEvent> events, _) = Run();
        string message = Assert.Single(events.OfType<Warned>()).Message;
        Assert.StartsWith("1 bad lines of data were skipped, first ", message, StringComparison.Ordinal);
        Assert.Contains($"{path}:201", message, StringComparison.Ordinal);
    }

    private void Create(string more) => RunFolder.Create(
        RunPath,
        RecipeReader.Read(
            $"""
            model: {"{layers: 1, width: 16, heads: 2}"}
            tokenizer: {"{vocabulary: 259}"}
            data: {"{"}sources: a.jsonl, hold_out: 0.1, cache: '{Path.Combine(_folder.Path, "cache")}'{"}"}
            {more}
            """,
            "interrupted",
            _folder.Path,
            ["training.batch=2", "training.sequence=32", "training.precision=fp32", "training.optimizer=adamw"]))
        .Dispose();

    private (List<RunEvent> Events, bool Finished) Run(Func<RunEvent, bool>? stopAt = null)
    {
        using CancellationTokenSource stop = new();
        List<RunEvent> events = [];
        using RunFolder folder = RunFolder.Open(RunPath);
        using TrainingRun run = new(
            folder,
            new Listener(what =>
            {
                events.Add(what);
                if (stopAt?.Invoke(what) is true)
                {
                    stop.Cancel();
                }
            }),
            TimeProvider.System);
        return (events, run.Run(stop.Token));
    }

    private sealed class Listener(Action<RunEvent> hear) : IProgress<RunEvent>
    {
        public void Report(RunEvent value) => hear(value);
    }
}
