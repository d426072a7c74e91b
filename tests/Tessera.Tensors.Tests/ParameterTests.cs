using Xunit;

namespace Tessera.Tensors.Tests;

public sealed class ParameterTests
{
    // What was packed for one type may not serve the next: a run that goes on in another precision would differ from
    // one that is resumed there.
    [Fact]
    public void AnotherComputeTypeTakesEffectAtOnce()
    {
        using TensorScope scope = TensorScope.Begin();
        Random random = new(1);
        float[] values = [.. Enumerable.Range(0, 60).Select(_ => random.NextSingle() - 0.5f)];
        Tensor x = Tensor.From<float>(new Shape(3, 12), values.AsSpan(0, 36));
        Parameter used = New(), fresh = New();
        used.ComputeType = DType.BF16;
        Ops.Linear(x, used);
        used.ComputeType = DType.F32;
        Assert.Equal(Product(fresh), Product(used));

        float[] Product(Parameter weight) => Ops.Linear(x, weight).ToArray<float>();

        Parameter New()
        {
            Tensor matrix = Tensor.Allocate(new Shape(5, 12), DType.F32);
            matrix.Fill<float>(values);
            return new Parameter("w", matrix);
        }
    }
}
