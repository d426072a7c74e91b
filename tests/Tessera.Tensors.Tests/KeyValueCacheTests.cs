using Tessera.Tensors.Tests.Operations;
using Tessera.Tensors.Threading;
using Xunit;

namespace Tessera.Tensors.Tests;

public sealed class KeyValueCacheTests
{
    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.BF16)]
    public void RowsComeBackFromTheirBlocks(DType type)
    {
        AttentionSample sample = new(1, 2, 2, 5, AttentionOptions.Default, sinks: false, 40, 33);
        using KeyValueCache cache = new(new KeyValueCacheSize(2, 5, 2, 5, type));
        using TensorScope scope = TensorScope.Begin();
        Segments segments = new();
        segments.Add(40, past: 0, blocks: [3, 1]);
        segments.Add(33, past: 0, blocks: [4, 0]);
        cache.Append(1, segments, sample.Tensor(type, sample.K, 2), sample.Tensor(type, sample.V, 2));
        cache.CopyBlock(1, 2);

        int first = 40 * sample.KeyRowSize;
        AssertHolds(sample.K[..first], sample.V[..first], Read(cache, [3, 1], 40));
        AssertHolds(sample.K[..first], sample.V[..first], Read(cache, [3, 2], 40));
        AssertHolds(sample.K[first..], sample.V[first..], Read(cache, [4, 0], 33));
    }

    [Fact]
    public void SizesAreCheckedBeforeMemoryIsAsked()
    {
        Assert.Equal(2L * 3 * 4 * 64 * 32 * 2 * 2, new KeyValueCacheSize(2, 3, 4, 64, DType.BF16).Bytes);
        Assert.Equal(3, new KeyValueCacheSize(1, 9, 1, 8, DType.F32, blockPositions: 64).BlocksFor(129));
        Assert.Contains(
            "blocks of 33 positions", Refused(() => new KeyValueCacheSize(1, 1, 1, 8, DType.F32, 33)),
            StringComparison.Ordinal);
        Assert.Contains(
            "0 blocks", Refused(() => new KeyValueCacheSize(1, 0, 1, 8, DType.F32)), StringComparison.Ordinal);
        Assert.Contains(
            "I32 isn't held", Refused(() => new KeyValueCacheSize(1, 1, 1, 8, DType.I32)), StringComparison.Ordinal);
        Assert.Contains(
            "beyond any memory", Refused(() => new KeyValueCacheSize(1000, int.MaxValue, 1000, 128, DType.F32)),
            StringComparison.Ordinal);
    }

    [Fact]
    public void BlocksThatDontHoldTheRowsAreRefused()
    {
        using KeyValueCache cache = new(new KeyValueCacheSize(1, 4, 2, 8, DType.F32));
        Assert.Contains("its 1 blocks hold 32", RefusedRows(cache, 3, 30, [2]), StringComparison.Ordinal);
        Assert.Contains("its 0 blocks hold 0", RefusedRows(cache, 1, 0, []), StringComparison.Ordinal);
        Assert.Contains("block 4, there are 4", RefusedRows(cache, 1, 0, [4]), StringComparison.Ordinal);
        Assert.Contains("block -1, there are 4", RefusedRows(cache, 1, 0, [-1]), StringComparison.Ordinal);
    }

    [Fact]
    public void WrongOperandsAreRefused()
    {
        using KeyValueCache cache = new(new KeyValueCacheSize(1, 4, 2, 8, DType.F32));
        using TensorScope scope = TensorScope.Begin();
        Tensor q = Tensor.Zeros(new Shape(2, 4, 8), DType.F32), k = Tensor.Zeros(new Shape(2, 2, 8), DType.F32);
        Segments segments = new();
        segments.Add(2, past: 1, blocks: [0]);

        Assert.Contains("without a cache", Refused(() => Ops.Attention(q, k, k, segments)), StringComparison.Ordinal);
        Assert.Contains(
            "segments of 3 rows", Refused(() => Ops.Attention(q, k, k, Segments.Of(3))), StringComparison.Ordinal);
        Assert.Contains(
            "keys (2,4,4)", Refused(() => Ops.Attention(q, k.View(2, 4, 4), k, segments, cache: cache)),
            StringComparison.Ordinal);
        Assert.Contains(
            "1 layers", Refused(() => Ops.Attention(q, k, k, segments, cache: cache, layer: 1)),
            StringComparison.Ordinal);
        Assert.Contains("(2,2,8) is wanted", Refused(() => cache.Append(0, segments, q, q)), StringComparison.Ordinal);
    }

    // The caller's thread alone does the work, so that its count is all there is to count.
    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.BF16)]
    public void AWarmStepAndAHundredDecodeStepsAllocateNothing(DType type)
    {
        using ThreadLimit limit = Workers.Limit(1);
        AttentionSample sample = new(1, 4, 2, 32, AttentionOptions.Default, sinks: false, 30, 70);
        Segments whole = Segments.Of(30, 70), step = new();
        using KeyValueCache cache = new(new KeyValueCacheSize(1, 8, 2, 32, type));
        Train();
        Decode(0, 100);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Train();
        Decode(0, 100);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Train()
        {
            using TensorScope scope = TensorScope.Begin();
            Tensor q = Tensor.Zeros(new Shape(100, 4, 32), type), k = Tensor.Zeros(new Shape(100, 2, 32), type);
            q.Tracked = k.Tracked = true;
            using Tape tape = Tape.Start();
            Tensor y = Ops.Attention(q, k, k, whole);
            y.GradientToWrite(out _).Clear();
            tape.Backward();
        }

        void Decode(int past, int end)
        {
            for (; past < end; past++)
            {
                using TensorScope scope = TensorScope.Begin();
                step.Clear();
                step.Add(1, past, [3, 1, 6, 0]);
                Tensor q = Tensor.Zeros(new Shape(1, 4, 32), type), k = Tensor.Zeros(new Shape(1, 2, 32), type);
                cache.Append(0, step, k, k);
                Ops.Attention(q, k, k, step, cache: cache);
            }
        }
    }

    private static void AssertHolds(double[] k, double[] v, (double[] K, double[] V) held)
    {
        Assert.Equal(k, held.K);
        Assert.Equal(v, held.V);
    }

    private static (double[] K, double[] V) Read(KeyValueCache cache, int[] blocks, int positions)
    {
        int count = positions * cache.Size.KeyHeads * cache.Size.HeadSize;
        if (cache.Size.Type == DType.BF16)
        {
            BFloat16[] k = new BFloat16[count], v = new BFloat16[count];
            cache.CopyOut<BFloat16>(1, blocks, positions, k, v);
            return (Array.ConvertAll(k, x => (double)x), Array.ConvertAll(v, x => (double)x));
        }

        float[] keys = new float[count], values = new float[count];
        cache.CopyOut<float>(1, blocks, positions, keys, values);
        return (Array.ConvertAll(keys, x => (double)x), Array.ConvertAll(values, x => (double)x));
    }

    private static string RefusedRows(KeyValueCache cache, int length, int past, int[] blocks)
    {
        using TensorScope scope = TensorScope.Begin();
        Tensor k = Tensor.Zeros(new Shape(length, 2, 8), DType.F32);
        Segments segments = new();
        segments.Add(length, past, blocks);
        return Refused(() => cache.Append(0, segments, k, k));
    }

    private static string Refused(Action action) => Assert.ThrowsAny<ArgumentException>(action).Message;

    private static string Refused(Func<object> action) =>
        Assert.ThrowsAny<ArgumentException>(() => _ = action()).Message;
}
