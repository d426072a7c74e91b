using FsCheck.Xunit;
using Xunit;

namespace Tessera.Tensors.Tests;

public sealed class SegmentsTests
{
    [Fact]
    public void RowsAreNumberedFromThePast()
    {
        Segments segments = new();
        segments.Add(3);
        segments.Add(0, past: 5);
        segments.Add(1, past: 40, blocks: [7, 2]);
        segments.Add(2, past: 1, blocks: [3]);

        Assert.Equal(4, segments.Count);
        Assert.Equal(6, segments.Rows);
        Assert.Equal([0, 1, 2, 40, 1, 2], segments.Positions.ToArray());
        Assert.Equal([0, 3, 3, 4], Each(segments, segments.Start));
        Assert.Equal([3, 0, 1, 2], Each(segments, segments.Length));
        Assert.Equal([0, 5, 40, 1], Each(segments, segments.Past));
        Assert.Equal([], segments.Blocks(0).ToArray());
        Assert.Equal([7, 2], segments.Blocks(2).ToArray());
        Assert.Equal([3], segments.Blocks(3).ToArray());
    }

    [Property]
    public void AReusedObjectEqualsANewOne(byte[] first, byte[] second)
    {
        Segments reused = new();
        Describe(reused, first);
        reused.Clear();
        Describe(reused, second);
        Segments fresh = new();
        Describe(fresh, second);

        Assert.Equal(fresh.Count, reused.Count);
        Assert.Equal(fresh.Positions.ToArray(), reused.Positions.ToArray());
        for (int i = 0; i < fresh.Count; i++)
        {
            Assert.Equal(fresh.Start(i), reused.Start(i));
            Assert.Equal(fresh.Blocks(i).ToArray(), reused.Blocks(i).ToArray());
        }
    }

    [Fact]
    public void DescribingABatchAgainAllocatesNothing()
    {
        Segments segments = new();
        byte[] lengths = [200, 3, 0, 77, 1];
        Describe(segments, lengths);

        long before = GC.GetAllocatedBytesForCurrentThread();
        segments.Clear();
        Describe(segments, lengths);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void WrongNumbersAreRefused()
    {
        Segments segments = Segments.Of(2, 3);
        Assert.Throws<ArgumentOutOfRangeException>(() => segments.Add(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => segments.Add(1, past: -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => segments.Add(int.MaxValue));
        Assert.Throws<ArgumentOutOfRangeException>(() => segments.Add(1, past: int.MaxValue));
        Assert.Throws<ArgumentOutOfRangeException>(() => segments.Start(2));
        Assert.Throws<ArgumentOutOfRangeException>(() => segments.Length(-1));
        Assert.Equal([0, 1, 0, 1, 2], segments.Positions.ToArray());
    }

    private static void Describe(Segments segments, byte[] lengths)
    {
        Span<int> blocks = stackalloc int[4];
        foreach (byte length in lengths)
        {
            blocks.Fill(length);
            segments.Add(length, past: length / 3, blocks: blocks[..(length % 5)]);
        }
    }

    private static int[] Each(Segments segments, Func<int, int> property) =>
        [.. Enumerable.Range(0, segments.Count).Select(property)];
}
