using System.Runtime.Intrinsics;
using Tessera.Tensors.Kernels;
using Xunit;

namespace Tessera.Tensors.Tests.Kernels;

public sealed class ErrorFunctionTests
{
    // Abramowitz and Stegun, table 7.1.
    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.5, 0.5204998778)]
    [InlineData(1, 0.8427007929)]
    [InlineData(2, 0.9953222650)]
    [InlineData(-1, -0.8427007929)]
    public void TheDefinitionEqualsTheTable(double x, double erf) =>
        Assert.Equal(erf, ErrorFunction.Reference(x), 5e-11);

    // At 3 the series gives way to the fraction.
    [Fact]
    public void TheDefinitionsTwoFormsMeet()
    {
        double below = ErrorFunction.Reference(Math.BitDecrement(3.0)), above = ErrorFunction.Reference(3.0);
        Assert.Equal(below, above, 1e-15);
        Assert.Equal(1, ErrorFunction.Reference(double.PositiveInfinity));
    }

    // The limits are the documentation's. Beyond 3.5 a difference from 1 has too few digits to compare with.
    [Fact]
    public void TheComplementIsWithinItsLimit()
    {
        for (float x = -6; x < 3.5f; x += 0.0007f)
        {
            double exact = 1 - ErrorFunction.Reference((double)x);
            Assert.Equal(1, ErrorFunction.Complement(Vector512.Create(x))[5] / exact, x <= 2 ? 1e-6 : 1e-5);
        }
    }
}
