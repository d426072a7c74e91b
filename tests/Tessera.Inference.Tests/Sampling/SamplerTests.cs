using Tessera.Inference.Sampling;
using Xunit;

namespace Tessera.Inference.Tests.Sampling;

public sealed class SamplerTests
{
    private const int VocabularySize = 4000;

    private static SamplingOptions Everything { get; } = new()
    {
        Temperature = 0.9,
        TopNSigma = 3,
        TopK = 200,
        TypicalP = 0.98,
        TopP = 0.95,
        MinP = 0.001,
        RepetitionPenalty = 1.1,
        PresencePenalty = 0.2,
        FrequencyPenalty = 0.3,
        LogitBias = new Dictionary<int, float> { [3] = 2, [9999] = 1 },
        Dry = new DryOptions { Breakers = new HashSet<int> { 5 } },
        Seed = 7,
    };

    private static SamplingOptions Mirostat { get; } = new() { Mirostat = new(), Seed = 7 };

    public static IEnumerable<TheoryDataRow<SamplingOptions>> AllOptions =>
        [new(SamplingOptions.Greedy), new(new SamplingOptions()), new(Everything), new(Mirostat)];

    [Theory]
    [MemberData(nameof(AllOptions))]
    public void DrawingAllocatesNothing(SamplingOptions options)
    {
        SamplingWorkspace workspace = new(VocabularySize);
        float[] logits = RandomLogits(1);
        TokenLogProbability[] top = new TokenLogProbability[20];
        Sampler sampler = new(options, [1, 2, 3], maxTokens: 101);
        Draw(1);

        long before = GC.GetAllocatedBytesForCurrentThread();
        Draw(100);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Draw(int count)
        {
            for (int i = 0; i < count; i++)
            {
                int token = sampler.Sample(logits, workspace);
                workspace.LogProbabilities(logits, token, top, out _);
            }
        }
    }

    [Theory]
    [MemberData(nameof(AllOptions))]
    public void AnswersDependOnlyOnTheirOwnSeed(SamplingOptions options)
    {
        // One workspace for two sequences in turn, against each with one of its own.
        int[] expected = Drawn(options, answer: 0);
        SamplingWorkspace shared = new(VocabularySize);
        Sampler first = new(options, [1, 2, 3]), other = new(options with { Seed = 99 }, [4]);
        for (int step = 0; step < expected.Length; step++)
        {
            Assert.Equal(expected[step], first.Sample(RandomLogits(step), shared));
            other.Sample(RandomLogits(1000 + step), shared);
        }
    }

    [Fact]
    public void SeedsAndAnswersDiffer()
    {
        Assert.NotEqual(Drawn(new() { Seed = 1 }, answer: 0), Drawn(new() { Seed = 2 }, answer: 0));
        Assert.NotEqual(Drawn(new() { Seed = 1 }, answer: 0), Drawn(new() { Seed = 1 }, answer: 1));
    }

    [Fact]
    public void DrawsGoOnFromTheirState()
    {
        SeededDraws draws = new(123);
        _ = draws.NextUnit();
        SeededDraws restored = new(draws.Seed) { Position = draws.Position };
        Assert.Equal(draws.NextUnit(), restored.NextUnit());
    }

    [Fact]
    public void DrawsAreUniform()
    {
        // 16 cells of 4,096 expected draws each; chi-squared with 15 degrees stays below 37.7 in 999 of 1,000 seeds.
        int[] cells = new int[16];
        SeededDraws draws = new(5);
        for (int i = 0; i < 65536; i++)
        {
            cells[(int)(draws.NextUnit() * 16)]++;
        }

        Assert.InRange(cells.Sum(count => (count - 4096) * (count - 4096) / 4096.0), 0, 37.7);
    }

    [Fact]
    public void TokensComeAsOftenAsTheirProbabilities()
    {
        // Probabilities 1/2, 1/4, 1/8, 1/8: five deviations of a binomial of 20,000 draws are at most 354.
        float[] logits = [MathF.Log(4), MathF.Log(2), 0, 0];
        int[] counts = new int[4];
        Sampler sampler = new(new() { Seed = 11 });
        SamplingWorkspace workspace = new(4);
        for (int i = 0; i < 20000; i++)
        {
            counts[sampler.Sample(logits, workspace)]++;
        }

        Assert.InRange(counts[0], 10000 - 354, 10000 + 354);
        Assert.InRange(counts[1], 5000 - 354, 5000 + 354);
        Assert.InRange(counts[2], 2500 - 354, 2500 + 354);
    }

    [Fact]
    public void ABannedTokenIsNeverDrawn()
    {
        SamplingOptions options = new()
        {
            Temperature = 0,
            LogitBias = new Dictionary<int, float> { [1] = float.NegativeInfinity },
        };
        Assert.Equal(0, new Sampler(options).Sample([0, float.PositiveInfinity], new SamplingWorkspace(2)));
    }

    [Fact]
    public void OptionsOutOfRangeAreRefusedWhereTheyAreSet()
    {
        string[] names = [.. Refused().Select(set => Assert.Throws<ArgumentOutOfRangeException>(set).ParamName!)];
        Assert.Equal(
            ["Temperature", "Temperature", "TopK", "TopP", "MinP", "TypicalP", "TopNSigma", "RepetitionPenalty",
                "PresencePenalty", "FrequencyPenalty", "LogitBias", "LogitBias", "Dry.Multiplier", "Dry.AllowedLength",
                "Mirostat.LearningRate"],
            names);

        static IEnumerable<Func<object>> Refused() =>
        [
            () => new SamplingOptions { Temperature = -0.1 },
            () => new SamplingOptions { Temperature = double.NaN },
            () => new SamplingOptions { TopK = 0 },
            () => new SamplingOptions { TopP = 1.1 },
            () => new SamplingOptions { MinP = -1 },
            () => new SamplingOptions { TypicalP = 2 },
            () => new SamplingOptions { TopNSigma = double.NaN },
            () => new SamplingOptions { RepetitionPenalty = 0 },
            () => new SamplingOptions { PresencePenalty = double.PositiveInfinity },
            () => new SamplingOptions { FrequencyPenalty = double.NaN },
            () => new SamplingOptions { LogitBias = new Dictionary<int, float> { [-1] = 1 } },
            () => new SamplingOptions { LogitBias = new Dictionary<int, float> { [1] = float.NaN } },
            () => new DryOptions { Multiplier = -1 },
            () => new DryOptions { AllowedLength = 0 },
            () => new MirostatOptions { LearningRate = 1.5 },
        ];
    }

    private static int[] Drawn(SamplingOptions options, int answer)
    {
        SamplingWorkspace workspace = new(VocabularySize);
        Sampler sampler = new(options, [1, 2, 3], answer: answer);
        return [.. Enumerable.Range(0, 50).Select(step => sampler.Sample(RandomLogits(step), workspace))];
    }

    private static float[] RandomLogits(int seed)
    {
        Random random = new(seed);
        float[] logits = new float[VocabularySize];
        for (int i = 0; i < logits.Length; i++)
        {
            logits[i] = (float)(random.NextDouble() * random.NextDouble() * 12);
        }

        return logits;
    }
}
