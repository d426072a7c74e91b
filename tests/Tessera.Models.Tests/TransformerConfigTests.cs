using Tessera.Models.Tests.Checkpoints;
using Xunit;

namespace Tessera.Models.Tests;

public sealed class TransformerConfigTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(int.MaxValue)]
    public void AbsurdSizesAreRefusedWhereTheyAreSet(int size)
    {
        TransformerConfig good = TinyModel.Qwen3;
        Func<TransformerConfig>[] wrong =
        [
            () => good with { VocabularySize = size },
            () => good with { Width = size },
            () => good with { Layers = size },
            () => good with { Heads = size },
            () => good with { KeyHeads = size },
            () => good with { HeadSize = size },
            () => good with { FeedForwardWidth = size },
            () => good with { ContextLength = size },
        ];
        foreach (Func<TransformerConfig> make in wrong)
        {
            ArgumentOutOfRangeException error = Assert.Throws<ArgumentOutOfRangeException>(make);
            Assert.Contains($"{error.ParamName} is {size}", error.Message);
        }
    }

    [Fact]
    public void ValuesThatDoNotGoTogetherAreRefused()
    {
        TransformerConfig good = TinyModel.Qwen3;
        Assert.Same(good, good.Validate());
        TransformerConfig[] wrong =
        [
            good with { KeyHeads = 3 },
            good with { Heads = 4096, KeyHeads = 1, HeadSize = 129 },
            good with { Rotary = new RotaryConfig(10_000, 3) },
            good with { Rotary = new RotaryConfig(10_000, 6) },
            good with { Rotary = new RotaryConfig(0.5, 4) },
            good with { Rotary = new RotaryConfig(double.NaN, 4) },
            good with { LearnedPositions = true, ContextLength = (1 << 20) + 1 },
            good with { EosIds = [-1] },
            good with { BosId = -1 },
        ];
        Assert.All(wrong, config => Assert.ThrowsAny<ArgumentException>(config.Validate));
        Assert.Throws<ArgumentOutOfRangeException>(() => good with { NormEpsilon = double.NaN });
    }
}
