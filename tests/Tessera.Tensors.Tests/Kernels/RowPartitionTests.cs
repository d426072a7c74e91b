using Tessera.Tensors.Kernels;
using Xunit;

namespace Tessera.Tensors.Tests.Kernels;

public sealed class RowPartitionTests
{
    [Theory]
    [InlineData(0, 5)]
    [InlineData(1, 1)]
    [InlineData(1000, 100_000)]
    [InlineData(100_000, 3)]
    [InlineData(int.MaxValue, 1)]
    [InlineData(int.MaxValue - 70, 0)]
    public void ItemsMeetEveryRowOnce(int rows, int columns)
    {
        RowPartition partition = new(rows, columns);
        int next = 0;
        for (int i = 0; i < partition.Items; i++)
        {
            (int first, int end) = partition.Item(i);
            Assert.Equal(next, first);
            Assert.InRange(end, first + 1, rows);
            next = end;
        }

        Assert.Equal(rows, next);
    }
}
