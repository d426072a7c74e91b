using Xunit;

namespace Tessera.Tensors.Tests;

public sealed class TapeTests
{
    // The sum's node has done its part when the loss refuses the gradient of 2: both nodes are used again later, and
    // must not be handed out twice.
    [Fact]
    public void ABackwardPassThatThrowsLeavesNothingBehind()
    {
        using TensorScope scope = TensorScope.Begin();
        Parameter weight = new("w", Tensor.Allocate(new Shape(5, 4), DType.F32));
        using (Tape broken = Tape.Start())
        {
            Tensor loss = Ops.LinearCrossEntropy(Leaf(1, 2, 3, 4).View(1, 4), weight, [3], default, 1).Loss;
            Tensor twice = Ops.Add(loss, loss);
            Assert.Throws<InvalidOperationException>(() => broken.Backward(twice));
        }

        Tensor a = Leaf(1), b = Leaf(2), c = Leaf(3);
        using Tape tape = Tape.Start();
        tape.Backward(Ops.Add(Ops.Add(a, b), c), scale: 7);
        Assert.All([a, b, c], leaf => Assert.Equal([7], Values(leaf.Gradient!)));
    }

    [Fact]
    public void ATapeThatEndsLateLeavesTheNextOneRunning()
    {
        using TensorScope scope = TensorScope.Begin();
        Tape first = Tape.Start();
        Assert.Throws<InvalidOperationException>(Tape.Start);
        first.Backward(Ops.Add(Leaf(1), Leaf(2)));
        Assert.False(Tape.Running);
        using (Tape.Start())
        {
            first.Dispose();
            Assert.True(Tape.Running);
        }

        Assert.False(Tape.Running);
    }

    // A tensor that outlives steps has views that do so, too.
    [Fact]
    public void AViewsGradientIsThatOfTheStepUnderWay()
    {
        Tensor whole = Tensor.Allocate(new Shape(4), DType.F32);
        whole.Fill<float>([1, 2, 3, 4]);
        whole.Tracked = true;
        Tensor view = whole.View(2, 2);
        for (int step = 1; step <= 3; step++)
        {
            using TensorScope scope = TensorScope.Begin();
            Tensor.Zeros(new Shape(step * 100), DType.F32); // so that no two steps' gradients lie at one place
            using Tape tape = Tape.Start();
            Tensor y = Ops.Activate(view, ActivationFunction.ReluSquared);
            Tape.SetGradient<float>(y, [step, step, step, step]);
            tape.Backward();
            Assert.Equal([2 * step, 4 * step, 6 * step, 8 * step], Values(whole.Gradient!));
            Assert.Equal(Values(whole.Gradient!), Values(view.Gradient!));
            whole.DetachGradient();
            Assert.Null(view.Gradient);
        }
    }

    private static float[] Values(Tensor tensor) => tensor.ToArray<float>();

    private static Tensor Leaf(params ReadOnlySpan<float> values)
    {
        Tensor leaf = Tensor.From(new Shape(values.Length), values);
        leaf.Tracked = true;
        return leaf;
    }
}
