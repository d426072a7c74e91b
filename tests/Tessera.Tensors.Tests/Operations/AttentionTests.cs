using FsCheck.Xunit;
using Tessera.Tensors.Kernels;
using Tessera.Testing;
using Xunit;

namespace Tessera.Tensors.Tests.Operations;

public sealed class AttentionTests
{
    private static readonly string[] _names = ["y", "dq", "dk", "dv", "dSinks"];

    public static TheoryData<InstructionSet> Sets => [.. Processor.Supported];

    [Property(MaxTest = 150)]
    public void SingleIsWithinTheLimitsOfTheDefinition(int seed)
    {
        AttentionSample sample = Random(
            new Random(seed), KernelSet.For(Pick(new Random(seed), [.. Processor.Supported])));
        double[][] expected = sample.Expected(), actual = sample.Run(DType.F32);
        for (int i = 0; i < expected.Length; i++)
        {
            double limit = i == 0 ? Limits.OpsSingle : Limits.OpsSingleGradient;
            double largest = expected[i].Select(Math.Abs).DefaultIfEmpty().Max();
            double error = expected[i].Zip(actual[i], (e, a) => Math.Abs(e - a)).DefaultIfEmpty().Max();
            Assert.True(error <= limit * largest, $"{_names[i]}: {error / largest:E2} of the largest ({sample})");
        }
    }

    // Weights and slopes are rounded to 8 bits before they are multiplied, results after: each entry is off by up to
    // 2^-9 twice, in random directions. 2^-7 of the whole tensor's length leaves room for small tensors, where errors
    // don't average out.
    [Property(MaxTest = 150)]
    public void BFloat16IsNearTheDefinition(int seed)
    {
        AttentionSample sample = Random(
            new Random(seed), KernelSet.For(Pick(new Random(seed), [.. Processor.Supported])));
        double[][] expected = sample.Expected(), actual = sample.Run(DType.BF16);
        for (int i = 0; i < expected.Length; i++)
        {
            double length = Math.Sqrt(expected[i].Sum(x => x * x));
            double error = Math.Sqrt(expected[i].Zip(actual[i], (e, a) => (e - a) * (e - a)).Sum());
            Assert.True(error <= length / 128, $"{_names[i]}: {error / length:E2} of the length ({sample})");
        }
    }

    [Theory]
    [MemberData(nameof(Sets))]
    public void EverySetMeetsEveryHeadSize(InstructionSet set)
    {
        for (int D = 1; D <= 130; D += D < 20 ? 1 : 11)
        {
            AttentionSample sample = new(
                D, 4, 2, D, new AttentionOptions { Kernels = KernelSet.For(set) }, sinks: false, 37, 0, 5);
            double[][] expected = sample.Expected(), actual = sample.Run(DType.F32);
            for (int i = 0; i < 4; i++)
            {
                double limit = i == 0 ? Limits.OpsSingle : Limits.OpsSingleGradient,
                    largest = expected[i].Select(Math.Abs).Max();
                double error = expected[i].Zip(actual[i], (e, a) => Math.Abs(e - a)).Max();
                Assert.True(error <= limit * largest, $"D {D}, {_names[i]}: {error / largest:E2} of the largest");
            }
        }
    }

    // 1e-7: the second-order error of a step of 1e-5 and the rounding of a difference of doubles, both near 1e-10, with
    // room.
    [Fact]
    public void TheGradientsDefinitionEqualsCentralDifferences()
    {
        AttentionOptions options = new() { Window = 4, SoftCap = 3, Scale = 0.7 };
        AttentionSample sample = new(1, 4, 2, 3, options, sinks: true, 7);
        double[][] gradients = sample.Expected();
        double[][] inputs = [sample.Q, sample.K, sample.V, sample.Sinks];
        for (int i = 0; i < inputs.Length; i++)
        {
            for (int j = 0; j < inputs[i].Length; j++)
            {
                double value = inputs[i][j];
                double above = Loss(value + 1e-5), below = Loss(value - 1e-5);
                inputs[i][j] = value;
                Assert.Equal((above - below) / 2e-5, gradients[i + 1][j], 1e-7);

                double Loss(double at)
                {
                    inputs[i][j] = at;
                    return sample.Expected()[0].Zip(sample.Upstream, (y, dy) => y * dy).Sum();
                }
            }
        }
    }

    [Fact]
    public void GradientsAddToWhatIsThere()
    {
        AttentionSample sample = new(3, 4, 2, 16, AttentionOptions.Default, sinks: true, 40);
        foreach (DType type in new[] { DType.F32, DType.BF16 })
        {
            using TensorScope scope = TensorScope.Begin();
            Tensor q = sample.Tensor(type, sample.Q, 4),
                k = sample.Tensor(type, sample.K, 2), v = sample.Tensor(type, sample.V, 2);
            q.Tracked = k.Tracked = v.Tracked = true;
            Parameter sinks = sample.SinkParameter()!;
            double[][] sums = new double[3][];
            for (int uses = 1; uses <= 2; uses++)
            {
                q.DetachGradient();
                k.DetachGradient();
                v.DetachGradient();
                sinks.ForgetGradient();
                using Tape tape = Tape.Start();
                for (int i = 0; i < uses; i++)
                {
                    Tensor y = Ops.Attention(q, k, v, Segments.Of(40), sinks: sinks);
                    AttentionSample.SetUpstream(y, sample.Tensor(type, sample.Upstream, 4));
                }

                tape.Backward();
                double[] sum = [.. AttentionSample.Doubles(q.Gradient!), .. AttentionSample.Doubles(k.Gradient!),
                    .. AttentionSample.Doubles(v.Gradient!), .. AttentionSample.Doubles(sinks.Gradient!)];
                sums[uses] = sum;
            }

            // Twice a number is exact in every type.
            Assert.Equal(sums[1].Select(x => 2 * x), sums[2]);
        }
    }

    private static AttentionSample Random(Random random, KernelSet kernels)
    {
        int keyHeads = random.Next(1, 4), heads = keyHeads * random.Next(1, 5);
        int headSize = Pick(random, [8, 16, 20, 32, 33, 63, 64, 80, 96, 127, 128]);
        int[] lengths = [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => random.Next(0, 150))];
        AttentionOptions options = new()
        {
            Kernels = kernels,
            Window = random.Next(3) == 0 ? random.Next(1, 200) : null,
            SoftCap = random.Next(3) == 0 ? 1 + (random.NextDouble() * 9) : null,
            Scale = random.Next(3) == 0 ? 0.05 + (random.NextDouble() / 4) : null,
        };
        return new AttentionSample(random.Next(), heads, keyHeads, headSize, options, random.Next(3) == 0, lengths);
    }

    private static T Pick<T>(Random random, T[] choices) => choices[random.Next(choices.Length)];
}
