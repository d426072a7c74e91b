using System.Runtime.Intrinsics;
using Tessera.Tensors.Kernels;
using Xunit;

namespace Tessera.Tensors.Tests.Kernels;

public sealed unsafe class VectorMathTests
{
    private delegate Vector512<float> Function(Vector512<float> x);

    // The limits are what the documentation of each function states: the largest error seen over every third float,
    // rounded up. Here every 1,009th float (a prime, so that all exponents and lanes are met) is tried.
    [Fact]
    public void ExpIsWithinItsLimitOverAllFloats() => AssertWithin(0.9, VectorMath.Exp, Math.Exp);

    [Fact]
    public void TanhIsWithinItsLimitOverAllFloats() => AssertWithin(1.4, VectorMath.Tanh, Math.Tanh);

    [Fact]
    public void SigmoidIsWithinItsLimitOverAllFloats() =>
        AssertWithin(2.5, VectorMath.Sigmoid, x => x < 0 ? Math.Exp(x) / (1 + Math.Exp(x)) : 1 / (1 + Math.Exp(-x)));

    [Fact]
    public void ExpOfNonPositiveNumbersHasTheSameBits()
    {
        for (long bits = 0x80000000; bits <= 0xFF800000; bits += 1009)
        {
            Vector512<float> x = Vector512.Create(BitConverter.UInt32BitsToSingle((uint)bits));
            Assert.Equal(VectorMath.Exp(x).AsInt32(), VectorMath.ExpNonPositive(x).AsInt32());
        }
    }

    // Down to 2^-126, where results lose digits by becoming subnormal.
    [Fact]
    public void PowersOfTwoAreWithinTheirLimits()
    {
        for (float x = -126; x <= 0; x += 0.00137f)
        {
            double exact = Math.Pow(2, x);
            Assert.Equal(1, VectorMath.PowerOfTwo(Vector512.Create(x))[3] / exact, 2e-7);
            Assert.Equal(1, VectorMath.PowerOfTwoRoughly(Vector512.Create(x))[3] / exact, 3e-6);
        }

        AssertAt(0f, 1f);
        AssertAt(-151f, 0f);
        AssertAt(float.NegativeInfinity, 0f);
        AssertAt(float.NaN, float.NaN);

        static void AssertAt(float x, float power)
        {
            Assert.Equal(power, VectorMath.PowerOfTwo(Vector512.Create(x))[3]);
            Assert.Equal(power, VectorMath.PowerOfTwoRoughly(Vector512.Create(x))[3]);
        }
    }

    [Fact]
    public void UpperHalvesKeepTheirOrder()
    {
        Vector512<uint> first = (Vector512<uint>.Indices + Vector512.Create(100u)) << 16,
            second = first + Vector512.Create(16u << 16);
        BFloat16* target = stackalloc BFloat16[32];
        VectorMath.StoreUpper(first | Vector512.Create(7u), second, target);
        Vector512<uint> woven = VectorMath.Weave(first | Vector512.Create(7u), second | Vector512.Create(9u));
        for (int i = 0; i < 16; i++)
        {
            Assert.Equal((100 + i, 116 + i), (target[i].Bits, target[16 + i].Bits));
            Assert.Equal((uint)(((116 + i) << 16) | (100 + i)), woven[i]);
        }
    }

    [Fact]
    public void EndsAreExact()
    {
        AssertAt(float.NegativeInfinity, exp: 0f, tanh: -1f, sigmoid: 0f);
        AssertAt(float.PositiveInfinity, exp: float.PositiveInfinity, tanh: 1f, sigmoid: 1f);
        AssertAt(0f, exp: 1f, tanh: 0f, sigmoid: 0.5f);
        AssertAt(-0f, exp: 1f, tanh: -0f, sigmoid: 0.5f);
        AssertAt(float.NaN, exp: float.NaN, tanh: float.NaN, sigmoid: float.NaN);

        static void AssertAt(float x, float exp, float tanh, float sigmoid)
        {
            Assert.Equal(Bits(exp), Bits(VectorMath.Exp(Vector512.Create(x))[7]));
            Assert.Equal(Bits(tanh), Bits(VectorMath.Tanh(Vector512.Create(x))[7]));
            Assert.Equal(Bits(sigmoid), Bits(VectorMath.Sigmoid(Vector512.Create(x))[7]));
        }

        // Bits, so that -0 differs from 0.
        static int Bits(float value) => float.IsNaN(value) ? -1 : BitConverter.SingleToInt32Bits(value);
    }

    [Fact]
    public void EveryBFloat16SurvivesARoundTrip()
    {
        BFloat16* source = stackalloc BFloat16[16];
        BFloat16* target = stackalloc BFloat16[16];
        for (int first = 0; first < 65536; first += 16)
        {
            for (int i = 0; i < 16; i++)
            {
                source[i] = new BFloat16((ushort)(first + i));
            }

            Vector512<float> values = VectorMath.LoadBFloat16(source);
            VectorMath.StoreBFloat16(values, target);
            for (int i = 0; i < 16; i++)
            {
                Assert.Equal((float)source[i], values[i]);
                ushort quiet = float.IsNaN(values[i]) ? (ushort)(source[i].Bits | 0x40) : source[i].Bits;
                Assert.Equal(quiet, target[i].Bits);
            }
        }
    }

    [Fact]
    public void RoundingToBFloat16EqualsTheScalarConversion()
    {
        BFloat16* target = stackalloc BFloat16[16];
        for (long bits = 0; bits <= uint.MaxValue; bits += 16 * 1009)
        {
            // Halves exactly between two bfloat16 are among the lanes: the low bits 0x8000 and its neighbours.
            Vector512<uint> lanes = Vector512.Create((uint)bits & 0xFFFF0000) + Vector512.Create(
                0u, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF, 0x18000, 0x17FFF, 0x18001, 0x1000, 0x28000, 0x38000, 5, 6, 7, 8);
            VectorMath.StoreBFloat16(lanes.AsSingle(), target);
            for (int i = 0; i < 16; i++)
            {
                Assert.Equal(((BFloat16)lanes.AsSingle()[i]).Bits, target[i].Bits);
            }
        }
    }

    [Fact]
    public void ReductionsMeetEveryLane()
    {
        for (int lane = 0; lane < VectorMath.Width; lane++)
        {
            Vector512<float> x = Vector512<float>.One.WithElement(lane, 3f);
            Assert.Equal(18f, VectorMath.Sum(x));
            Assert.Equal(3f, VectorMath.Max(x));
            Assert.Equal(-1f, VectorMath.Max(Vector512.Create(-2f).WithElement(lane, -1f)));
            Assert.Equal((1u << lane) - 1, (uint)VectorMath.FirstLanes(lane).ExtractMostSignificantBits());
        }

        Assert.Equal(0xFFFFu, (uint)VectorMath.FirstLanes(16).ExtractMostSignificantBits());
    }

    private static void AssertWithin(double limit, Function function, Func<double, double> exact)
    {
        double worst = 0;
        float worstAt = 0;
        for (long bits = 0; bits <= uint.MaxValue; bits += 16 * 1009)
        {
            Vector512<float> x = (Vector512.Create((uint)bits) + (Vector512<uint>.Indices * 1009)).AsSingle();
            Vector512<float> y = function(x);
            for (int i = 0; i < 16; i++)
            {
                double error = UlpsFrom(exact(x[i]), y[i]);
                if (error > worst)
                {
                    (worst, worstAt) = (error, x[i]);
                }
            }
        }

        Assert.True(worst <= limit, $"{worst} ulp at {worstAt:R}, {limit} allowed");
    }

    private static double UlpsFrom(double exact, float actual)
    {
        if (double.IsNaN(exact) || (float)exact == actual)
        {
            return float.IsNaN(actual) == double.IsNaN(exact) ? 0 : double.PositiveInfinity;
        }

        float size = MathF.Max(MathF.Abs((float)exact), 1.17549435E-38f);
        return Math.Abs(exact - actual) / (MathF.BitIncrement(size) - size);
    }
}
