using Xunit;

namespace Tessera.Tensors.Tests;

public sealed class TensorTests
{
    [Fact]
    public void ATensorOfAnEndedScopeSaysSo()
    {
        using TensorScope outer = TensorScope.Begin();
        Tensor kept = Tensor.Zeros(new Shape(3), DType.F32), lost, view;
        using (TensorScope.Begin())
        {
            lost = Tensor.Zeros(new Shape(3), DType.F32);
            view = lost.View(3, 1);
        }

        Assert.Throws<InvalidOperationException>(() => Conversion.Copy(lost, kept));
        Assert.Throws<InvalidOperationException>(() => view.Span<float>().Length);
        Assert.Throws<InvalidOperationException>(() => lost.View(1, 3));
        Assert.Throws<InvalidOperationException>(lost.Clear);
    }

    [Fact]
    public void ScopesEndInTheReverseOrder()
    {
        using TensorScope outer = TensorScope.Begin();
        using TensorScope inner = TensorScope.Begin();
        Assert.Throws<InvalidOperationException>(outer.Dispose);
    }
}
