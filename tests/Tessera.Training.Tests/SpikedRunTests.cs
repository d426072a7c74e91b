using Tessera.Models;
using Tessera.Tensors;
using Tessera.Training.Data;
using Tessera.Training.Recipes;
using Tessera.Training.Runs;
using Xunit;

namespace Tessera.Training.Tests;

/// <summary>Trains on plain sentences among which one document is noise, and on weights that are spoilt.</summary>
public sealed class SpikedRunTests : IDisposable
{
    private const string SpoiltTensor = "tensor model.layers.1.mlp.up_proj.weight: value 5 is NaN";
    private readonly TemporaryFolder _folder = new();

    public SpikedRunTests()
    {
        Random random = new(1);
        string[] nouns = ["cat", "dog", "mat", "sun"];
        IEnumerable<string> lines = Enumerable.Range(0, 800).Select(i => i == 0
            ? new string([.. Enumerable.Range(0, 30).Select(_ => (char)random.Next(0x4e00, 0x9000))])
            : $"the {nouns[random.Next(4)]} sat on the {nouns[random.Next(4)]}");
        _folder.Write("a.jsonl", string.Concat(lines.Select(line => $"{{\"text\":\"{line}\"}}\n")));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ASpikeIsLeftOutAndToldAndTheRunGoesOn()
    {
        (List<RunEvent> events, _) = Train("whole", "spikes: skip, steps: 300", every: 1000);

        // The noise may lie in two batches.
        Warned warned = events.OfType<Warned>().First(), last = events.OfType<Warned>().Last();
        Assert.InRange(last.Step - warned.Step, 0, 1);
        StepDone spike = events.OfType<StepDone>().Single(done => done.Step == warned.Step);
        Assert.Equal(
            $"the step was left out: loss {spike.Loss:G4}, gradient norm {spike.GradientNorm:G4}", warned.Message);
        StepDone[] after = [.. events.OfType<StepDone>().Where(done => done.Step > last.Step)];
        Assert.NotEmpty(after);
        Assert.All(after, done => Assert.True(done.Loss < spike.Loss, $"{done.Loss} after a spike of {spike.Loss}"));

        // The same run up to the spike: its last step changed nothing.
        (_, string folder) = Train("until", $"spikes: skip, steps: {warned.Step}", every: warned.Step - 1);
        AssertSameWeights(folder, warned.Step - 1, warned.Step);
        Assert.Equal(1, Lines(folder).Count(line => line.Contains(warned.Message, StringComparison.Ordinal)));

        // And what takes it in is changed by it.
        (List<RunEvent> open, string changed) = Train(
            "open", $"spikes: off, steps: {warned.Step}", every: warned.Step - 1);
        Assert.Empty(open.OfType<Warned>());
        Assert.NotEqual(Weights(changed, warned.Step - 1), Weights(changed, warned.Step));
    }

    [Fact]
    public void ASpikeTakesTheWeightsBackToTheLastCheckpoint()
    {
        (List<RunEvent> events, _) = Train("whole", "spikes: roll_back, steps: 300", every: 40);
        Warned[] warned = [.. events.OfType<Warned>()];
        long spike = warned[0].Step, back = spike / 40 * 40;
        Assert.Equal(spike, warned[1].Step);
        Assert.Equal($"the weights went back to step {back}", warned[1].Message);

        (_, string folder) = Train("until", $"spikes: roll_back, steps: {spike}", every: 40);
        AssertSameWeights(folder, back, spike);
        Assert.Equal(1, Lines(folder).Count(line => line.Contains(warned[1].Message, StringComparison.Ordinal)));
    }

    // The checkpoint holds the moments of another optimizer.
    [Fact]
    public void ASpikeBeforeAStagesFirstCheckpointTakesItBackToItsBeginning()
    {
        (List<RunEvent> events, _) = Train(
            "stages", "spikes: roll_back, steps: 300", every: 1000,
            "stages: [{name: one, training: {steps: 2, optimizer: adamw}}, {name: two, training: {optimizer: muon}}]");
        Assert.Contains(events.OfType<Warned>(), warned => warned.Message == "the weights went back to step 2");
        Assert.True(events.OfType<RunEnded>().Single().Finished);
    }

    [Theory]
    [InlineData("off", 1)]
    [InlineData("skip", 20)]
    [InlineData("roll_back", 20)]
    public void ARunOnSpoiltWeightsStopsAndNamesTheTensor(string spikes, int refused)
    {
        InvalidDataException e = Assert.Throws<InvalidDataException>(
            () => TrainSpoilt(spikes, CancellationToken.None, out _));
        Assert.Contains($"norm NaN, {refused} refused in a row", e.Message, StringComparison.Ordinal);
        Assert.Contains(SpoiltTensor, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SpoiltWeightsAreNotSaved()
    {
        string folder = "";
        InvalidDataException e = Assert.Throws<InvalidDataException>(
            () => TrainSpoilt("skip", new CancellationToken(canceled: true), out folder));
        Assert.Contains(SpoiltTensor, e.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(folder, "checkpoints")));
    }

    private static void AssertSameWeights(string folder, long first, long second)
    {
        Assert.Equal(Weights(folder, first), Weights(folder, second));
        Assert.Equal(
            Read(folder, first, "training-state/optimizer.safetensors"),
            Read(folder, second, "training-state/optimizer.safetensors"));
    }

    private static byte[] Weights(string folder, long step) => Read(folder, step, "model.safetensors");

    private static byte[] Read(string folder, long step, string name) =>
        File.ReadAllBytes(Path.Combine(folder, "checkpoints", $"step-{step}", name));

    private static string[] Lines(string folder) => File.ReadAllLines(Path.Combine(folder, "metrics.jsonl"));

    private (List<RunEvent> Events, string Folder) Train(string name, string training, long every, string more = "")
    {
        Events events = new();
        using RunFolder folder = Create(name, training, every, more);
        using TrainingRun run = new(folder, events, TimeProvider.System);
        Assert.True(run.Run(TestContext.Current.CancellationToken));
        return (events.All, folder.Path);
    }

    private void TrainSpoilt(string spikes, CancellationToken cancellation, out string path)
    {
        using RunFolder folder = Create("spoilt", $"spikes: {spikes}, steps: 40", every: 1000, "");
        path = folder.Path;
        using TrainingRun run = new(folder, null, TimeProvider.System);
        TokenizerEncoder encoder = new(
            TokenizerMaker.Make(folder.Recipe, new BadLines(0), TestContext.Current.CancellationToken));
        Transformer model = ModelMaker.Create(folder.Recipe, encoder, Precision.Fp32);
        Parameter spoilt = model.Parameters[ParameterKind.Up, 1];
        spoilt.Value.Span<float>()[5] = float.NaN;
        spoilt.Changed();
        using TrainingStage stage = new(run, model, encoder, 0, null, CancellationToken.None);
        stage.Run(cancellation);
    }

    private RunFolder Create(string name, string training, long every, string more) => RunFolder.Create(
        Path.Combine(_folder.Path, name),
        RecipeReader.Read(
            $$"""
            model: {layers: 2, width: 16, heads: 2}
            tokenizer: {vocabulary: 259}
            data: {sources: a.jsonl, cache: '{{Path.Combine(_folder.Path, "cache")}}'}
            training:
              {batch: 2, sequence: 32, schedule: constant, warmup: 0, learning_rate: 0.01, precision: fp32,
              {{training}}}
            checkpoints: {every: {{every}}, keep: 100}
            {{more}}
            """,
            "spiked", _folder.Path, ["seed=3"]));

    private sealed class Events : IProgress<RunEvent>
    {
        public List<RunEvent> All { get; } = [];

        public void Report(RunEvent value) => All.Add(value);
    }
}
