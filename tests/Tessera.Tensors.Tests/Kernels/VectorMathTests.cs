using System.Runtime.Intrinsics;
using Tessera.Tensors.Kernels;
using Xunit;

namespace Tessera.Tensors.Tests.Kernels;

public sealed unsafe class VectorMathTests
{
    private delegate Vector512<float> Function(Vector512<float> x);

    // The limits are what the documentation of each function states: the largest error seen over every third float, rounded up.
    // Here every 1,009th float (a prime, so that all exponents and lanes are met) is tried.
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
