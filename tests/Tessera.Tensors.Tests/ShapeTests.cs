using Xunit;

namespace Tessera.Tensors.Tests;

public sealed class ShapeTests
{
    [Fact]
    public void TheDefaultIsAScalar()
    {
        Assert.Equal(new Shape(), default);
        Assert.Equal(1, default(Shape).Count);
        Assert.Equal("()", default(Shape).ToString());
    }

    [Fact]
    public void SizesWhoseProductOverflowsAreAnError()
    {
        // 2^64, which is 0 in 64 bits, and 2^41.
        Assert.Throws<ArgumentException>(() => new Shape(1 << 16, 1 << 16, 1 << 16, 1 << 16));
        Assert.Throws<ArgumentException>(() => new Shape(1 << 20, 1 << 21));
        Assert.Equal(Shape.MaximumCount, new Shape(1 << 20, 1 << 20).Count);
        Assert.Equal(0, new Shape(0, int.MaxValue, int.MaxValue).Count);
    }
}
