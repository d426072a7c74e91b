using Xunit;

namespace Tessera.Tensors.Tests.Operations;

/// <summary>Operands that don't fit are named before any memory is read or written.</summary>
public sealed class OperandErrorTests
{
    [Fact]
    public void AResidualMustFit()
    {
        using TensorScope scope = TensorScope.Begin();
        Tensor x = Tensor.Zeros(new Shape(3, 4), DType.F32), brain = Tensor.Zeros(new Shape(3, 4), DType.BF16);
        Tensor fewRows = Tensor.Zeros(new Shape(2, 5), DType.F32), narrow = Tensor.Zeros(new Shape(3, 5), DType.BF16);
        Parameter w = new("w", Tensor.Allocate(new Shape(5, 4), DType.F32));
        Expect("residual (2,5)", () => Ops.Linear(x, w, residual: fewRows));
        Expect("a residual in BF16", () => Ops.Linear(x, w, residual: narrow));
        Tensor fits = Tensor.Zeros(new Shape(3, 5), DType.F32);
        Expect("BF16 is asked for", () => Ops.Linear(x, w, residual: fits, type: DType.BF16));
        Expect("onto a residual of F32 (3,5)", () => Ops.Dropout(x, 0.1, 1, fits));
        Expect("onto a residual of BF16 (3,4)", () => Ops.Dropout(brain, 0.1, 1, brain));
    }

    [Fact]
    public void RowsAreGatheredInTheirOrderAndWithoutATape()
    {
        using TensorScope scope = TensorScope.Begin();
        Tensor x = Tensor.From<float>(new Shape(3, 2), [1, 2, 3, 4, 5, 6]);
        Assert.Equal([5, 6, 1, 2, 5, 6], Ops.GatherRows(x, [2, 0, 2]).ToArray<float>());
        Expect("row 3 of F32 (3,2)", () => Ops.GatherRows(x, [0, 3]));
        Expect("row -1 of F32 (3,2)", () => Ops.GatherRows(x, [-1]));
        using Tape tape = Tape.Start();
        x.Tracked = true;
        Assert.Throws<InvalidOperationException>(() => Ops.GatherRows(x, [0]));
    }

    private static void Expect(string part, Action call) =>
        Assert.Contains(part, Assert.Throws<ArgumentException>(call).Message, StringComparison.Ordinal);
}
