using Tessera.Tensors.Kernels;
using Tessera.Tensors.Threading;
using Xunit;

namespace Tessera.Tensors.Tests.Kernels;

/// <summary>A row's bits depend on the row, on B and on the instruction set, and on nothing else.</summary>
public sealed unsafe class MatmulBitTests
{
    public static TheoryData<InstructionSet, DType, DType> Cases { get; } = [..
        from set in Processor.Supported
        from type in new[] { DType.F32, DType.BF16 }
        from result in new[] { DType.F32, DType.BF16 }
        select new TheoryDataRow<InstructionSet, DType, DType>(set, type, result)];

    private static readonly (int M, int N, int K, bool Turned)[] _split =
        [(1, 3000, 256, false), (200, 40, 64, false), (300, 300, 300, true), (20, 500, 9000, true)];

    // One chunk of K, an odd K, and several chunks.
    private static readonly int[] _depths = [64, 77, 9000];

    [Theory]
    [MemberData(nameof(Cases))]
    public void ARowAloneEqualsTheRowInABatch(InstructionSet set, DType type, DType result)
    {
        foreach (int depth in _depths)
        {
            Random random = new(depth);
            const int M = 45, N = 150;
            using TestMatrix a = new(random, type, M, depth), b = new(random, type, depth, N);
            using TestMatrix c = new(random, result, M, N), row = new(random, result, 1, N);
            using PackedMatrix packed = new(KernelSet.For(set));
            Matmul.Pack(b.View, packed);
            Matmul.Multiply(a.View, packed, c.View);
            for (int r = 0; r < M; r++)
            {
                Matmul.Multiply(a.View.Part(r, 1, 0, depth), packed, row.View);
                AssertSameBits(c.Row(r), row.Row(0), $"row {r} of K {depth}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void TheRowsPlaceAndNumberDoNotMatter(InstructionSet set, DType type, DType result)
    {
        Random random = new(7);
        const int M = 60, N = 100, K = 130;
        using TestMatrix a = new(random, type, M, K), b = new(random, type, K, N);
        using TestMatrix whole = new(random, result, M, N), part = new(random, result, M, N);
        MatmulOptions options = new() { Kernels = KernelSet.For(set) };
        Matmul.Multiply(a.View, b.View, whole.View, options);
        for (int rows = 1; rows <= 33; rows++)
        {
            int first = random.Next(M - rows);
            Matmul.Multiply(a.View.Part(first, rows, 0, K), b.View, part.View.Part(0, rows, 0, N), options);
            for (int r = 0; r < rows; r++)
            {
                AssertSameBits(whole.Row(first + r), part.Row(r), $"row {r} of {rows} from {first}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void OneThreadEqualsTwo(InstructionSet set, DType type, DType result)
    {
        foreach ((int M, int N, int K, bool turned) in _split)
        {
            Random random = new(M);
            using TestMatrix a = new(random, type, M, K, turned), b = new(random, type, K, N, turned);
            using TestMatrix one = new(random, result, M, N), all = new(random, result, M, N);
            MatmulOptions options = new() { Kernels = KernelSet.For(set) };
            using (Workers.Limit(1))
            {
                Matmul.Multiply(a.View, b.View, one.View, options);
            }

            Matmul.Multiply(a.View, b.View, all.View, options);
            int bytes = M * N * one.View.ElementBytes;
            AssertSameBits(new(one.Data, bytes), new(all.Data, bytes), $"{M}×{N}×{K}");
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void AccumulateAddsTheFinishedSumOnce(InstructionSet set, DType type, DType result)
    {
        Random random = new(3);
        const int M = 31, N = 47, K = 9000;
        using TestMatrix a = new(random, type, M, K), b = new(random, type, K, N);
        using TestMatrix c = new(random, result, M, N), before = new(random, result, M, N);
        using TestMatrix sum = new(random, DType.F32, M, N);
        int bytes = M * N * c.View.ElementBytes;
        new ReadOnlySpan<byte>(c.Data, bytes).CopyTo(new(before.Data, bytes));
        MatmulOptions options = new() { Kernels = KernelSet.For(set) };
        Matmul.Multiply(a.View, b.View, sum.View, options);
        Matmul.Multiply(a.View, b.View, c.View, options with { Accumulate = true });
        for (int i = 0; i < M * N; i++)
        {
            float expected = before[i / N, i % N] + sum[i / N, i % N];
            Assert.Equal(result == DType.F32 ? expected : (BFloat16)expected, c[i / N, i % N]);
        }
    }

    private static void AssertSameBits(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual, string what) =>
        Assert.True(expected.SequenceEqual(actual), what + ": other bits");
}
