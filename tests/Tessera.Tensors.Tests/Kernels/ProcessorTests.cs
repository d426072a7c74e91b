using Tessera.Tensors.Kernels;
using Xunit;

namespace Tessera.Tensors.Tests.Kernels;

public sealed class ProcessorTests
{
    [Fact]
    public void ThePlainestSetIsEverywhere() => Assert.Equal(InstructionSet.Portable, Processor.Supported[0]);

    [Fact]
    public void WithoutAWishTheBestIsTaken()
    {
        Assert.Equal(Processor.Supported[^1], Processor.FindDefault(null));
        Assert.Equal(Processor.Supported[^1], Processor.FindDefault(""));
        Assert.Equal(InstructionSet.Portable, Processor.FindDefault("portable"));
    }

    [Theory]
    [InlineData("avx2", InstructionSet.Avx2)]
    [InlineData("avx512", InstructionSet.Avx512)]
    public void AWishIsGrantedOrRefused(string name, InstructionSet set)
    {
        if (Processor.Supports(set))
        {
            InstructionSet most = set == InstructionSet.Avx2 ? set : InstructionSet.Avx512BFloat16;
            Assert.InRange(Processor.FindDefault(name), set, most);
        }
        else
        {
            Assert.Contains(name, Assert.Throws<InvalidOperationException>(() => Processor.FindDefault(name)).Message);
        }
    }

    [Fact]
    public void AnUnknownWishNamesTheKnownOnes() => Assert.Contains(
        "avx512, avx2, portable",
        Assert.Throws<InvalidOperationException>(() => Processor.FindDefault("sse")).Message);

    [Fact]
    public void KernelsOfAnUnknownSetAreRefused() =>
        Assert.Throws<PlatformNotSupportedException>(() => KernelSet.For((InstructionSet)200));
}
