using FsCheck.Xunit;
using Tessera.Tensors.Kernels;
using Xunit;

namespace Tessera.Tensors.Tests.Kernels;

public sealed unsafe class MatmulTests
{
    private static readonly DType[] _types = [DType.F32, DType.BF16];

    // Sizes around each tile's and vector's edge, and beyond one block and chunk of K; few rows with a K whose two
    // chunks are cut into other blocks.
    private static readonly (int M, int N, int K)[] _shapes =
    [
        (0, 0, 0), (0, 5, 3), (5, 0, 3), (4, 3, 0), (1, 1, 1), (1, 32, 64), (1, 128, 33), (1, 257, 70), (2, 130, 17),
        (3, 128, 8), (4, 64, 9), (5, 96, 10), (6, 70, 31), (7, 33, 16), (13, 31, 15), (14, 32, 32), (15, 48, 65),
        (28, 64, 2), (29, 65, 129), (40, 17, 7), (57, 16, 40), (100, 200, 300), (130, 150, 1030), (17, 40, 2100),
        (33, 70, 5000), (1, 70, 5001), (15, 33, 9001), (2, 512, 4097), (3, 300, 6145),
    ];

    /// <summary>Gets each instruction set of this processor.</summary>
    public static TheoryData<InstructionSet> Sets { get; } = [.. Processor.Supported];

    [Theory]
    [MemberData(nameof(Sets))]
    public void FixedShapesMatchTheReference(InstructionSet set)
    {
        foreach ((int m, int n, int k) in _shapes)
        {
            // The reference takes long where K is long: two combinations of types there, all eight elsewhere.
            for (int form = 0; form < 8; form += k > 1000 ? 5 : 1)
            {
                Check(set, m, n, k, seed: form + (m * 31) + k, form);
            }
        }
    }

    [Property(MaxTest = 500)]
    public void AnyShapeMatchesTheReference(ushort m, ushort n, ushort k, int seed)
    {
        foreach (InstructionSet set in Processor.Supported)
        {
            Check(set, m % 41, n % 71, k % 71, seed, form: seed);
        }
    }

    private static void Check(InstructionSet set, int m, int n, int k, int seed, int form)
    {
        (DType aType, DType bType, DType cType) = (_types[form & 1], _types[(form >> 1) & 1], _types[(form >> 2) & 1]);
        Random random = new(seed);
        bool rounds = random.Next(3) == 0;
        using TestMatrix a = new(random, aType, m, k, random.Next(2) == 0, random.Next(3));
        using TestMatrix b = new(random, bType, k, n, random.Next(2) == 0, random.Next(3));
        using TestMatrix c = new(random, cType, m, n, gap: random.Next(3));
        using TestMatrix bias = new(random, DType.F32, 1, n);
        MatmulOptions options = new()
        {
            Accumulate = random.Next(2) == 0,
            Bias = random.Next(2) == 0 ? (float*)bias.Data : null,
            RoundToBFloat16 = rounds,
            Kernels = KernelSet.For(set),
        };
        bool rounded = rounds && options.Kernels.MultipliesBFloat16;
        double[] expected = MatmulReference.Multiply(a.View, b.View, c.View, options, rounded);
        double[] bound = Bound(a, b, c, options, expected);
        string what = $"{set} {m}×{n}×{k} seed {seed}: {a.View} · {b.View} into {c.View}, " +
            $"accumulate {options.Accumulate}, bias {options.Bias != null}, rounds {rounds}";

        Matmul.Multiply(a.View, b.View, c.View, options);
        Compare(expected, bound, c, what);
        byte[] bits = new ReadOnlySpan<byte>(c.Data, Length(c)).ToArray();

        // Packed before, the same sums in the same order: the same bits.
        using PackedMatrix packed = new(options.Kernels);
        Matmul.Pack(b.View, packed, rounds);
        c.Restore();
        Matmul.Multiply(a.View, packed, c.View, options);
        Compare(expected, bound, c, what + ", packed");
        Assert.True(new ReadOnlySpan<byte>(c.Data, Length(c)).SequenceEqual(bits), what + ", packed: other bits");
    }

    private static int Length(TestMatrix c) => c.View.Rows == 0 || c.View.Columns == 0
        ? 0
        : (((c.View.Rows - 1) * c.View.Stride) + c.View.Columns) * c.View.ElementBytes;

    /// <summary>
    /// The bound on an fp32 sum of K products in any order, (K + 3) · 2^-24 · Σ|a·b| (Higham, Accuracy and Stability,
    /// §3.1; the 3 are the bias, C and the last rounding), and half a unit in the last place, 2^-8 of the value, where
    /// C is bf16.
    /// </summary>
    private static double[] Bound(TestMatrix a, TestMatrix b, TestMatrix c, MatmulOptions options, double[] expected)
    {
        double[] bound = new double[expected.Length];
        for (int i = 0; i < bound.Length; i++)
        {
            (int row, int column) = (i / c.View.Columns, i % c.View.Columns);
            double magnitude = Math.Abs(c[row, column]) + (options.Bias == null ? 0 : Math.Abs(options.Bias[column]));
            for (int k = 0; k < a.View.Columns; k++)
            {
                // Rounding to bf16 may enlarge each by 2^-8.
                magnitude += Math.Abs((double)a[row, k] * b[k, column]) * 1.01;
            }

            double sum = (a.View.Columns + 3) * Math.Pow(2, -24) * magnitude;
            bound[i] = sum + (c.View.Type == DType.BF16 ? Math.Pow(2, -8) * (Math.Abs(expected[i]) + sum) : 0);
        }

        return bound;
    }

    private static void Compare(double[] expected, double[] bound, TestMatrix c, string what)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            float actual = c[i / c.View.Columns, i % c.View.Columns];
            if (!(Math.Abs(actual - expected[i]) <= bound[i]))
            {
                Assert.Fail($"{what}: element {i / c.View.Columns}, {i % c.View.Columns} is {actual}, " +
                    $"not {expected[i]} within {bound[i]}");
            }
        }

        Assert.True(c.GapsAreUntouched(), what + ": wrote between the rows of C");
    }
}
