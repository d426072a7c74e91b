using System.Text.Json;
using Tessera.Tensors;
using Tessera.Tensors.Files;
using Tessera.Training.Data;
using Tessera.Training.Runs;
using Xunit;

namespace Tessera.Training.Tests.Runs;

public sealed class RunCheckpointsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WhatWasWrittenIsReadBack()
    {
        RunCheckpoints checkpoints = new(_folder.Path, 2, true);
        TrainingState state = State(7, 1.25) with
        {
            Random = new Dictionary<string, ulong[]> { ["dropout"] = [ulong.MaxValue, 3] },
            Numbers = new Dictionary<string, double> { ["loss"] = 0.1, ["nan"] = double.NaN },
            Data = new DataPosition(3, 4, [new SourcePosition(1, 2, 3)], new DocumentPosition(0, 5, 6)),
        };
        checkpoints.Save(Content(state));
        RunCheckpoint read = checkpoints.Newest()!;
        Assert.Equal(JsonSerializer.Serialize(state.Data), JsonSerializer.Serialize(read.State.Data));
        Assert.Equal([ulong.MaxValue, 3], read.State.Random["dropout"]);
        Assert.Equal((0.1, double.NaN), (read.State.Numbers["loss"], read.State.Numbers["nan"]));
        Assert.Equal((7L, "avx2", 1.25), (read.State.Step, read.State.InstructionSet, read.State.HeldOutLoss));
        Assert.Equal("weights 7", File.ReadAllText(Path.Combine(read.Folder, "model.bin")));
        using SafetensorsFile tensors = read.OpenTensors();
        Assert.Equal([1f, 2f, 7f], tensors["w.moment"].ToArray<float>());
    }

    [Fact]
    public void TheLastFewAndTheBestAreKept()
    {
        RunCheckpoints checkpoints = new(_folder.Path, 2, true);
        double?[] losses = [3, 2, null, 2.5, 4, null];
        for (int i = 0; i < losses.Length; i++)
        {
            checkpoints.Save(Content(State(10 * (i + 1), losses[i])));
        }

        Assert.Equal(["step-20", "step-50", "step-60"], Folders());
        Assert.Equal(20, checkpoints.Best()!.State.Step);
        Assert.Equal(60, checkpoints.Newest()!.State.Step);
        checkpoints.RemoveAfter(50);
        Assert.Equal(["step-20", "step-50"], Folders());
        new RunCheckpoints(_folder.Path, 1, false).Save(Content(State(70, null)));
        Assert.Equal(["step-70"], Folders());
    }

    [Theory]
    [InlineData("model.bin", "missing")]
    [InlineData("training-state/state.json", "cut")]
    [InlineData("training-state/optimizer.safetensors", "changed")]
    [InlineData("training-state/files.json", "missing")]
    [InlineData("training-state/files.json", "cut")]
    public void ABrokenCheckpointIsPassedOverAndNamed(string name, string how)
    {
        RunCheckpoints checkpoints = new(_folder.Path, 3, true);
        checkpoints.Save(Content(State(1, 1)));
        string path = Path.Combine(checkpoints.Save(Content(State(2, 2))).Folder, name);
        byte[] bytes = File.ReadAllBytes(path);
        switch (how)
        {
            case "missing":
                File.Delete(path);
                break;
            case "cut":
                File.WriteAllBytes(path, bytes[..(bytes.Length / 2)]);
                break;
            default:
                bytes[^1] ^= 1;
                File.WriteAllBytes(path, bytes);
                break;
        }

        List<string> broken = [];
        Assert.Equal(1, checkpoints.Newest(broken.Add)!.State.Step);
        Assert.Contains("step-2", Assert.Single(broken), StringComparison.Ordinal);
        Assert.Contains(Path.GetFileName(name), broken[0], StringComparison.Ordinal);
    }

    [Fact]
    public void WithoutAMeasurementTheLastFewAreKept()
    {
        RunCheckpoints checkpoints = new(_folder.Path, 2, true);
        for (int step = 1; step <= 4; step++)
        {
            checkpoints.Save(Content(State(step, null)));
        }

        Assert.Equal(["step-3", "step-4"], Folders());
        Assert.Null(checkpoints.Best());
    }

    [Fact]
    public void WhatFailsLeavesTheOnesBefore()
    {
        RunCheckpoints checkpoints = new(_folder.Path, 1, false);
        checkpoints.Save(Content(State(1, null)));
        CheckpointContent failing = Content(State(2, null)) with
        {
            WriteModel = _ => throw new IOException("No space left on device"),
        };
        Assert.Throws<IOException>(() => checkpoints.Save(failing));
        Assert.Equal(["step-1"], Folders());
        Assert.Null(new RunCheckpoints(Path.Combine(_folder.Path, "none"), 1, false).Newest());
    }

    private static TrainingState State(long step, double? heldOut) => new()
    {
        Step = step,
        Stage = 0,
        StageStep = step,
        Tokens = 100 * step,
        Data = new DataPosition(1, step, [], null),
        InstructionSet = "avx2",
        HeldOutLoss = heldOut,
    };

    private static CheckpointContent Content(TrainingState state)
    {
        Tensor moment = Tensor.Allocate(new Shape(3), DType.F32);
        moment.Fill<float>([1, 2, state.Step]);
        return new CheckpointContent(
            state,
            [new StoredTensor("w.moment", moment, DType.F32)],
            folder => File.WriteAllText(Path.Combine(folder, "model.bin"), $"weights {state.Step}"));
    }

    private IEnumerable<string?> Folders() => Directory.GetDirectories(_folder.Path).Select(Path.GetFileName).Order();
}
