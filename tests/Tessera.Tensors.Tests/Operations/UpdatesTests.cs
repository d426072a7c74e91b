using Xunit;

namespace Tessera.Tensors.Tests.Operations;

/// <summary>
/// Holds the optimizers' passes to their formulas in double, along every tail, and sees that nothing beyond the end is
/// touched.
/// </summary>
public sealed unsafe class UpdatesTests
{
    private const int Beyond = 16;

    // Some ten roundings of 2^-24 on values below 4.
    private const double Limit = 3e-6;

    // The last two are several items of work.
    public static TheoryData<int> Lengths => [.. Enumerable.Range(1, 34), 63, 65, 100, 257, 16_385, 100_003];

    [Theory]
    [MemberData(nameof(Lengths))]
    public void AdamWFollowsItsFormula(int length)
    {
        Values p = new(1, length), g = new(2, length), m = new(3, length), v = new(4, length, positive: true);
        Parameter parameter = WithGradient(p, g);
        AdamWUpdate update = new(0.9, 0.95, 1e-3, 0.02, 1.3, Decay: 0.01, GradientScale: 0.6);
        Ops.AdamWUpdate(parameter, m.Tensor, v.Tensor, update);
        for (int i = 0; i < length; i++)
        {
            double scaled = g.Before[i] * update.GradientScale;
            double first = m.Before[i] + ((scaled - m.Before[i]) * (1 - update.Beta1));
            double second = v.Before[i] + (((scaled * scaled) - v.Before[i]) * (1 - update.Beta2));
            double step = update.Rate * first / ((Math.Sqrt(second) * update.SecondScale) + update.Epsilon);
            Assert.Equal(first, m[i], Limit);
            Assert.Equal(second, v[i], Limit);
            Assert.Equal((p.Before[i] * (1 - update.Decay)) - step, p[i], Limit);
        }

        Assert.Equal(1, parameter.Version);
        Assert.All([p, m, v], values => Assert.True(values.IsIntactBeyond));
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void SgdFollowsItsFormula(int length)
    {
        foreach (bool nesterov in (bool[])[false, true])
        {
            Values p = new(1, length), g = new(2, length), b = new(3, length);
            Ops.SgdUpdate(WithGradient(p, g), b.Tensor, 0.1, 0.9, nesterov, decay: 0.03, gradientScale: 0.5);
            for (int i = 0; i < length; i++)
            {
                double pulled = (g.Before[i] * 0.5) + (p.Before[i] * 0.03), moved = (b.Before[i] * 0.9) + pulled;
                Assert.Equal(moved, b[i], Limit);
                Assert.Equal(p.Before[i] - (0.1 * (nesterov ? pulled + (0.9 * moved) : moved)), p[i], Limit);
            }

            Assert.True(p.IsIntactBeyond && b.IsIntactBeyond);
        }
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void SumsOfSquaresAndScaledSumsMeetEveryElement(int length)
    {
        Values x = new(1, length), y = new(2, length), z = new(3, length);
        double squares = x.Before.Sum(value => (double)value * value);
        Assert.Equal(squares, Ops.SumOfSquares(x.Tensor), squares * 1e-12);
        Ops.ScaleAndAdd(x.Tensor, 0.7, y.Tensor, -0.3);
        z.Tensor.Span<float>().Fill(float.NaN);
        Ops.ScaleAndAdd(x.Tensor, 0.7, z.Tensor, 0);
        for (int i = 0; i < length; i++)
        {
            Assert.Equal((0.7 * x.Before[i]) - (0.3 * y.Before[i]), y[i], Limit);
            Assert.Equal(0.7 * x.Before[i], z[i], Limit);
        }

        Assert.True(x.IsIntactBeyond && y.IsIntactBeyond && z.IsIntactBeyond);
    }

    [Fact]
    public void TensorsOfAnotherShapeOrTypeAreNamedBeforeAnythingIsWritten()
    {
        Parameter parameter = WithGradient(new(1, 40), new(2, 40)), fresh = new("p", new Values(1, 40).Tensor);
        Tensor fits = new Values(3, 40).Tensor, shorter = new Values(4, 39).Tensor;
        Tensor brain = Tensor.Allocate(new Shape(40), DType.BF16);
        AdamWUpdate update = new(0.9, 0.95, 1e-3, 0.02, 1.3, 0, 1);
        Expect("F32 (39) where F32 (40)", () => Ops.AdamWUpdate(parameter, fits, shorter, update));
        Expect("BF16 (40) where F32 (40)", () => Ops.AdamWUpdate(parameter, brain, fits, update));
        Expect("no gradient", () => Ops.AdamWUpdate(fresh, fits, fits, update));
        Expect("F32 (39) where F32 (40)", () => Ops.SgdUpdate(parameter, shorter, 0.1, 0.9, false, 0, 1));
        Expect("F32 (40) where F32 (39)", () => Ops.ScaleAndAdd(fits, 1, shorter, 1));
        Expect("BF16 (40)", () => Ops.SumOfSquares(brain));
        Assert.Equal((0, 0), (parameter.Version, fresh.Version));

        static void Expect(string part, Action call) =>
            Assert.Contains(part, Assert.Throws<ArgumentException>(call).Message, StringComparison.Ordinal);
    }

    private static Parameter WithGradient(Values values, Values gradient)
    {
        Parameter parameter = new("p", values.Tensor);
        parameter.GradientToWrite(out _).Fill<float>(gradient.Before);
        return parameter;
    }

    /// <summary>A tensor of random values with more memory behind it.</summary>
    private sealed class Values
    {
        private readonly float[] _whole;

        public Values(int seed, int length, bool positive = false)
        {
            Random random = new((seed * 1000) + length);
            _whole = GC.AllocateArray<float>(length + Beyond, pinned: true);
            for (int i = 0; i < length; i++)
            {
                _whole[i] = (random.NextSingle() * 2) - (positive ? 0 : 1);
            }

            _whole.AsSpan(length).Fill(float.PositiveInfinity);
            Before = _whole[..length];
            fixed (float* data = _whole)
            {
                Tensor = Tensor.Over(data, new Shape(length), DType.F32, _whole);
            }
        }

        public Tensor Tensor { get; }

        public float[] Before { get; }

        public bool IsIntactBeyond => !_whole.AsSpan(Before.Length).ContainsAnyExcept(float.PositiveInfinity);

        public float this[int index] => _whole[index];
    }
}
