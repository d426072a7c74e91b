using Tessera.Models;
using Tessera.Models.Tests;
using Tessera.Tensors;
using Tessera.Tensors.Memory;
using Tessera.Tensors.Threading;
using Tessera.Testing;
using Tessera.Training.Data;
using Tessera.Training.Optimizers;
using Tessera.Training.Recipes;
using Xunit;

namespace Tessera.Training.Tests;

public sealed class TrainingStepTests
{
    public static TheoryData<string, OptimizerKind, DType, double> Steps()
    {
        TheoryData<string, OptimizerKind, DType, double> steps = [];
        foreach (string model in SmallModels.Names)
        {
            foreach (DType type in (DType[])[DType.F32, DType.BF16])
            {
                steps.Add(model, OptimizerKind.AdamW, type, 0);
                steps.Add(model, OptimizerKind.Muon, type, 0.1);
            }
        }

        return steps;
    }

    // First on this thread alone, which then does the workers' part too, so that nothing escapes the count; then on as
    // many as there are.
    [Theory]
    [MemberData(nameof(Steps))]
    public void AWarmStepAllocatesNothing(string name, OptimizerKind kind, DType type, double dropout)
    {
        Transformer model = SmallModels.Create(name, type);
        TrainingStepOptions options = new(new LossOptions(LabelSmoothing: 0.05, ZLoss: 1e-4), Clip: 1, dropout);
        TrainingStep step = new(model, CreateOptimizer(kind, model), options, new SpikeGuard());
        Batch[] one = [Documents(1, 37, 1, 64, 9)], two = [one[0], Documents(2, 80, 31)];
        ThisThread.SleepOnce();
        foreach (int threads in (int[])[1, Workers.Count])
        {
            using ThreadLimit limit = Workers.Limit(threads);
            Run();
            Run();

            // Methods not yet optimised may box what optimised ones don't: warm is when that is over.
            (long Managed, long Native) allocated = (long.MaxValue, long.MaxValue);
            for (int attempt = 0; attempt < 20 && allocated != (0, 0); attempt++)
            {
                long managed = GC.GetAllocatedBytesForCurrentThread(), native = NativeBlock.AllocatedBytesOfThread;
                Run();
                allocated = (GC.GetAllocatedBytesForCurrentThread() - managed,
                    NativeBlock.AllocatedBytesOfThread - native);
            }

            Assert.Equal((0L, 0L), allocated);
        }

        void Run()
        {
            Assert.True(step.Run(one, 1, 5).Applied);
            Assert.True(step.Run(two, 1, 6).Applied);
        }
    }

    private static Optimizer CreateOptimizer(OptimizerKind kind, Transformer model)
    {
        Precision precision = model.ComputeType == DType.BF16 ? Precision.Bf16 : Precision.Fp32;
        return OptimizerMaker.Create(new() { Steps = 1, Optimizer = kind, Precision = precision }, model);
    }

    private static Batch Documents(int seed, params int[] lengths)
    {
        (int[] ids, int[] labels) = SmallModels.Rows(seed, lengths.Sum());
        Batch batch = new(ids.Length);
        int start = 0;
        foreach (int length in lengths)
        {
            (Memory<int> tokens, Memory<int> toPredict) = batch.Extend(length);
            ids.AsMemory(start, length).CopyTo(tokens);
            labels.AsMemory(start, length).CopyTo(toPredict);
            batch.EndSegment(length);
            start += length;
        }

        batch.Finish();
        return batch;
    }
}
