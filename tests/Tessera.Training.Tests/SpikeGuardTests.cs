using Tessera.Models;
using Tessera.Models.Tests;
using Tessera.Tensors;
using Tessera.Training.Data;
using Tessera.Training.Optimizers;
using Xunit;

namespace Tessera.Training.Tests;

public sealed class SpikeGuardTests
{
    [Theory]
    [InlineData(double.NaN, 1)]
    [InlineData(double.PositiveInfinity, 1)]
    [InlineData(1, double.NaN)]
    [InlineData(1, double.PositiveInfinity)]
    public void WhatIsNoNumberIsRefusedFromTheFirstStep(double loss, double norm)
    {
        SpikeGuard guard = new(double.PositiveInfinity);
        Assert.False(guard.Accepts(loss, norm));
        Assert.False(guard.Accepts(loss, norm));
        Assert.Equal(2, guard.Refused);
        Assert.Equal((0, 0, 0), guard.State);
        Assert.True(guard.Accepts(1, 1));
        Assert.Equal(0, guard.Refused);
    }

    [Fact]
    public void AJumpIsRefusedOnceLossesHaveSettledAndLeavesNoTrace()
    {
        SpikeGuard guard = new(deviations: 8), open = new(double.PositiveInfinity);
        Assert.True(guard.Accepts(6, 1));
        Assert.True(guard.Accepts(60, 1));
        for (int i = 0; i < 600; i++)
        {
            Assert.True(guard.Accepts(2 + (0.1 * Math.Sin(i)), 1));
            Assert.True(open.Accepts(2, 1));
        }

        (long, double, double) before = guard.State;
        Assert.False(guard.Accepts(4, 1));
        Assert.Equal(before, guard.State);
        Assert.True(guard.Accepts(2.2, 1));
        Assert.True(open.Accepts(1e6, 1));
    }

    [Fact]
    public void AGuardMadeOfAStateGoesOnAsTheOneThatHadIt()
    {
        SpikeGuard whole = new();
        for (int i = 0; i < 100; i++)
        {
            Assert.True(whole.Accepts(3 - (0.01 * i), 1));
        }

        SpikeGuard resumed = new() { State = whole.State };
        foreach (double loss in new[] { 2, 2.5, 30, 2.1 })
        {
            Assert.Equal(whole.Accepts(loss, 1), resumed.Accepts(loss, 1));
            Assert.Equal(whole.State, resumed.State);
        }
    }

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.BF16)]
    public void AStepWithoutALossChangesNoWeightAndNoMoment(DType type)
    {
        Transformer model = SmallModels.Create("qwen3", type);
        AdamW optimizer = new(model.Parameters.All, new AdamWSettings(0.01));
        SpikeGuard guard = new();
        TrainingStep step = new(model, optimizer, new(LossOptions.Plain), guard);
        Batch batch = new(20);
        (Memory<int> tokens, Memory<int> labels) = batch.Extend(20);
        (int[] ids, int[] targets) = SmallModels.Rows(1, 20);
        ids.CopyTo(tokens);
        targets.CopyTo(labels);
        batch.EndSegment(20);
        batch.Finish();
        Assert.True(step.Run([batch], 1, 1).Applied);

        Parameter spoilt = model.Parameters.All[3];
        float former = spoilt.Value.Span<float>()[0];
        Set(float.NaN);
        float[][] before = Everything();
        StepResult result = step.Run([batch], 1, 2);
        Assert.False(result.Applied);
        Assert.Equal(double.NaN, result.Loss);
        Assert.Equal(1, guard.Refused);
        Assert.Equal(before, Everything());
        Assert.Equal(1, optimizer.Steps);

        Set(former);
        Assert.True(step.Run([batch], 1, 3).Applied);

        void Set(float value)
        {
            spoilt.Value.Span<float>()[0] = value;
            spoilt.Changed();
        }

        float[][] Everything() => [.. model.Parameters.All.Select(p => p.Value)
            .Concat(optimizer.State.Select(s => s.Value)).Select(t => t.ToArray<float>())];
    }
}
