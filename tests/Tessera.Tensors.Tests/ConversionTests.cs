using Xunit;

namespace Tessera.Tensors.Tests;

public sealed class ConversionTests
{
    private static readonly DType[] _floats = [DType.F64, DType.F32, DType.F16, DType.BF16];

    // 0 to 256 cover every tail of every vector width; the last one needs more than one chunk.
    public static TheoryData<int> Lengths => [.. Enumerable.Range(0, 257), 5003];

    [Theory]
    [MemberData(nameof(Lengths))]
    public void NarrowingGivesTheBitsOfOneValueAtATime(int length)
    {
        float[] values = Values(length);
        BFloat16[] actual = new BFloat16[length];
        Conversion.Narrow(values, actual);
        Assert.Equal(Array.ConvertAll(values, value => (BFloat16)value), actual);

        float[] wide = new float[length];
        Conversion.Widen(actual, wide);
        Assert.Equal(Array.ConvertAll(actual, value => (float)value), wide);
    }

    [Fact]
    public void EveryTypeBecomesEveryOther()
    {
        using TensorScope scope = TensorScope.Begin();
        float[] values = [.. Values(3001).Where(float.IsFinite)];
        Shape shape = new(values.Length);
        foreach (DType from in _floats)
        {
            Tensor source = Tensor.Create(shape, from);
            Conversion.Copy(Tensor.From(shape, values.AsSpan()), source);
            foreach (DType to in _floats)
            {
                Tensor destination = Tensor.Create(shape, to);
                Conversion.Copy(source, destination);
                for (int i = 0; i < values.Length; i++)
                {
                    Assert.Equal(Round(Round(values[i], from), to), One(destination, i));
                }
            }
        }
    }

    [Fact]
    public void OtherShapesAndIntegersAreErrors()
    {
        using TensorScope scope = TensorScope.Begin();
        Tensor floats = Tensor.Zeros(new Shape(4), DType.F32);
        Assert.Throws<ArgumentException>(() => Conversion.Copy(floats, Tensor.Zeros(new Shape(2, 2), DType.F32)));
        Assert.Throws<ArgumentException>(() => Conversion.Copy(floats, Tensor.Zeros(new Shape(4), DType.I32)));
        Assert.Throws<ArgumentException>(() => Conversion.Copy(Tensor.Zeros(new Shape(4), DType.I64), floats));
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void TheFirstValueThatIsNotFiniteIsFound(int length)
    {
        using TensorScope scope = TensorScope.Begin();
        foreach (DType type in _floats)
        {
            Tensor tensor = Tensor.Zeros(new Shape(length), type);
            Assert.Null(Finiteness.FirstWrong(tensor));
            foreach (int place in new[] { length - 1, length / 2 }.Where(place => place >= 0 && place < length))
            {
                float wrong = place % 2 == 0 ? float.NaN : float.NegativeInfinity;
                Conversion.Copy(Tensor.From(new Shape(length), With(length, place, wrong)), tensor);
                Assert.Equal((place, wrong), Finiteness.FirstWrong(tensor));
            }
        }
    }

    private static ReadOnlySpan<float> With(int length, int place, float value)
    {
        // The largest finite values of the narrowest range stand beside it.
        float[] values = Enumerable.Repeat(65504f, length).ToArray();
        values[place] = value;
        return values;
    }

    /// <summary>Values of every size, halfway cases, infinities and NaN among them.</summary>
    private static float[] Values(int length)
    {
        Random random = new(length);
        float[] values = new float[length];
        for (int i = 0; i < length; i++)
        {
            values[i] = (i % 8) switch
            {
                0 => BitConverter.UInt32BitsToSingle((uint)random.NextInt64(1L << 32)),
                1 => BitConverter.UInt32BitsToSingle(((uint)random.Next(0x4000, 0x4400) << 16) | 0x8000),
                2 => float.NaN,
                3 => random.Next(2) == 0 ? float.PositiveInfinity : float.MaxValue,
                _ => random.NextSingle() - 0.5f,
            };
        }

        return values;
    }

    private static double Round(double value, DType type) => type switch
    {
        DType.F64 => value,
        DType.F32 => (float)value,
        DType.F16 => (double)(Half)(float)value,
        _ => (BFloat16)(float)value,
    };

    private static double One(Tensor tensor, int place) => tensor.DType switch
    {
        DType.F64 => tensor.Span<double>()[place],
        DType.F32 => tensor.Span<float>()[place],
        DType.F16 => (double)tensor.Span<Half>()[place],
        _ => tensor.Span<BFloat16>()[place],
    };
}
