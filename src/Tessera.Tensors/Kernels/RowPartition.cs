namespace Tessera.Tensors.Kernels;

/// <summary>
/// Cuts rows into the items of a parallel region. The cut depends on the shape alone, never on the number of threads,
/// so that sums over rows, made item by item and added in order, are the same bits on any number of them.
/// </summary>
internal readonly struct RowPartition
{
    // About 16 Ki elements: tens of microseconds, long beside the cost of claiming an item, short beside a step.
    private const int ElementsPerItem = 1 << 14;

    // Bounds the memory of partial sums.
    private const int MostItems = 64;

    public RowPartition(int rows, int columns)
    {
        Rows = rows;
        long perItem = Math.Max(1, ElementsPerItem / Math.Max(1, columns));
        perItem = Math.Max(perItem, ((long)rows + MostItems - 1) / MostItems);
        RowsPerItem = (int)perItem;
        Items = (int)((rows + perItem - 1) / perItem);
    }

    public int Rows { get; }

    public int RowsPerItem { get; }

    public int Items { get; }

    public (int First, int End) Item(int index) =>
        (index * RowsPerItem, (int)Math.Min(Rows, (index + 1L) * RowsPerItem));
}
