using Tessera.Tensors.Kernels;
using Xunit;

namespace Tessera.Tensors.Tests.Kernels;

public sealed unsafe class MatmulEdgeTests
{
    public static TheoryData<InstructionSet, DType> Cases { get; } = [..
        from set in Processor.Supported
        from type in new[] { DType.F32, DType.BF16 }
        select new TheoryDataRow<InstructionSet, DType>(set, type)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void NaNAndInfinityGoWhereTheReferenceSendsThem(InstructionSet set, DType type)
    {
        Random random = new(11);
        const int M = 20, N = 37, K = 33; // an odd K: the missing half of a pair must not make a NaN of an infinity
        using TestMatrix a = new(random, type, M, K), b = new(random, type, K, N);
        using TestMatrix c = new(random, DType.F32, M, N), rounded = new(random, DType.BF16, M, N);
        a[0, 0] = float.NaN;
        a[3, K - 1] = float.PositiveInfinity;
        a[19, 4] = float.NegativeInfinity;
        a[5, 5] = float.PositiveInfinity;
        a[5, 6] = float.NegativeInfinity;
        b[7, 36] = float.NaN;
        b[K - 1, 0] = float.NegativeInfinity;
        b[9, 3] = 0;
        a[7, 9] = float.PositiveInfinity;
        MatmulOptions options = new() { Kernels = KernelSet.For(set) };
        double[] expected = MatmulReference.Multiply(a.View, b.View, c.View, options, roundToBFloat16: false);
        Matmul.Multiply(a.View, b.View, c.View, options);
        Matmul.Multiply(a.View, b.View, rounded.View, options);
        Assert.Contains(expected, double.IsNaN);
        Assert.Contains(expected, double.IsInfinity);
        for (int i = 0; i < expected.Length; i++)
        {
            foreach (float actual in new[] { c[i / N, i % N], rounded[i / N, i % N] })
            {
                Assert.Equal(double.IsNaN(expected[i]), float.IsNaN(actual));
                Assert.Equal(double.IsPositiveInfinity(expected[i]), float.IsPositiveInfinity(actual));
                Assert.Equal(double.IsNegativeInfinity(expected[i]), float.IsNegativeInfinity(actual));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void DenormalsAreAtMostLost(InstructionSet set, DType type)
    {
        // 2^-130 is denormal in both types. Kept it makes 2^-125 of sums of 32; VDPBF16PS takes it for zero.
        Random random = new(1);
        using TestMatrix a = new(random, type, 1, 32), b = new(random, type, 32, 1), c = new(random, DType.F32, 1, 1);
        for (int k = 0; k < 32; k++)
        {
            (a[0, k], b[k, 0]) = (MathF.Pow(2, -130), 1);
        }

        KernelSet kernels = KernelSet.For(set);
        Matmul.Multiply(a.View, b.View, c.View, new() { Kernels = kernels });
        Assert.Equal(kernels.Arithmetic(type, type) == DType.BF16 ? 0 : MathF.Pow(2, -125), c[0, 0]);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void RoundingGoesToTheNearestEven(InstructionSet set, DType type)
    {
        // 1 + 2^-8 and 1 + 3 · 2^-8 lie halfway between bf16 values; a trifle more goes up.
        (double Value, float Rounded)[] cases =
        [
            (1 + Math.Pow(2, -8), 1), (1 + (3 * Math.Pow(2, -8)), 1 + MathF.Pow(2, -6)),
            (1 + Math.Pow(2, -8) + Math.Pow(2, -20), 1 + MathF.Pow(2, -7)), (-1 - Math.Pow(2, -8), -1),
        ];
        foreach ((double value, float rounded) in cases)
        {
            Random random = new(1);
            using TestMatrix a = new(random, type, 1, 3), b = new(random, type, 3, 40);
            using TestMatrix c = new(random, DType.BF16, 1, 40);
            float whole = Math.Sign(value);
            (a[0, 0], a[0, 1], a[0, 2]) = (whole, whole * MathF.Pow(2, -8), whole * MathF.Pow(2, -20));
            double rest = Math.Abs(value) - 1;
            float eighths = (float)Math.Floor(rest * 256);
            for (int n = 0; n < 40; n++)
            {
                (b[0, n], b[1, n], b[2, n]) = (1, eighths, rest * 256 > eighths ? 1 : 0);
            }

            Matmul.Multiply(a.View, b.View, c.View, new() { Kernels = KernelSet.For(set) });
            Assert.Equal(Enumerable.Repeat(rounded, 40), Enumerable.Range(0, 40).Select(n => c[0, n]));
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void NothingIsAllocatedOnceWarm(InstructionSet set, DType type)
    {
        Random random = new(5);
        using TestMatrix a = new(random, type, 70, 90, transposed: true);
        using TestMatrix b = new(random, type, 90, 80), c = new(random, type, 70, 80);
        using PackedMatrix packed = new(KernelSet.For(set));

        // Methods that the runtime has not optimised yet may box what optimised ones don't: warm is when that is over.
        long allocated = long.MaxValue;
        for (int attempt = 0; attempt < 200 && allocated != 0; attempt++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 100; i++)
            {
                Go();
            }

            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.Equal(0, allocated);

        void Go()
        {
            Matmul.Multiply(a.View, b.View, c.View, new() { Kernels = packed.Kernels });
            Matmul.Pack(b.View, packed);
            Matmul.Multiply(a.View, packed, c.View, new() { Accumulate = true });
        }
    }

    [Fact]
    public void WrongSizesAreNamed()
    {
        float* x = stackalloc float[1];
        MatrixView a = new(x, DType.F32, 2, 3, 3), b = new(x, DType.F32, 4, 5, 5), c = new(x, DType.F32, 2, 5, 5);
        Assert.Contains("2 × 3", Assert.Throws<ArgumentException>(() => Matmul.Multiply(a, b, c)).Message);
        MatrixView right = new(x, DType.F32, 3, 5, 5);
        Assert.Throws<ArgumentException>(() => Matmul.Multiply(a, right, c.Transpose()));
        Assert.Throws<ArgumentException>(() => new MatrixView(x, DType.I32, 1, 1, 1));
        Assert.Throws<ArgumentException>(() => new MatrixView(x, DType.F32, 1, 5, 4));
        Assert.Throws<ArgumentException>(() => new MatrixView(x, DType.F32, -1, 5, 5));
    }

    [Fact]
    public void OtherKernelsThanThePackedOnesAreRefused()
    {
        if (Processor.Supported.Count == 1)
        {
            Assert.Skip("this processor has one set only");
        }

        float x = 1;
        MatrixView one = new(&x, DType.F32, 1, 1, 1);
        using PackedMatrix packed = new(KernelSet.For(Processor.Supported[1]));
        Matmul.Pack(one, packed);
        Assert.Throws<ArgumentException>(
            () => Matmul.Multiply(one, packed, one, new() { Kernels = KernelSet.For(InstructionSet.Portable) }));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void APackedMatrixIsPackedAgain(InstructionSet set, DType type)
    {
        Random random = new(2);
        using PackedMatrix packed = new(KernelSet.For(set));
        foreach ((int k, int n) in new[] { (40, 50), (7, 9), (90, 100), (0, 3) })
        {
            using TestMatrix a = new(random, type, 3, k), b = new(random, type, k, n);
            using TestMatrix c = new(random, type, 3, n), d = new(random, type, 3, n);
            Matmul.Pack(b.View, packed);
            Matmul.Multiply(a.View, packed, c.View);
            Matmul.Multiply(a.View, b.View, d.View, new() { Kernels = packed.Kernels });
            Assert.Equal((k, n), (packed.Rows, packed.Columns));
            Assert.True(new ReadOnlySpan<byte>(c.Data, 3 * n * 2).SequenceEqual(new(d.Data, 3 * n * 2)));
        }
    }
}
