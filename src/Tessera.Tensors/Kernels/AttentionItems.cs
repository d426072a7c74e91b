namespace Tessera.Tensors.Kernels;

/// <summary>
/// Cuts a batch into the items of attention's parallel regions: runs of rows of one sequence for one key head. The
/// longest come first, so that threads end together. The cut depends on the shapes alone.
/// </summary>
internal readonly unsafe struct AttentionItems
{
    private readonly Tensor _spans; // (segment, first row) of each run
    private readonly Tensor _order;
    private readonly Tensor _costs;
    private readonly Segments _segments;
    private readonly int _rowsPerRun;
    private readonly int _keyHeads;
    private readonly int _runs;

    public AttentionItems(Segments segments, int keyHeads, int rowsPerRun)
    {
        (_segments, _keyHeads, _rowsPerRun) = (segments, keyHeads, rowsPerRun);
        for (int i = 0; i < segments.Count; i++)
        {
            _runs += RunsOf(segments.Length(i));
            LongestLength = Math.Max(LongestLength, segments.Length(i));
        }

        _spans = Tensor.Create(new Shape(_runs, 2), DType.I32);
        _order = Tensor.Create(new Shape(_runs), DType.I32);
        _costs = Tensor.Create(new Shape(_runs), DType.I64);
        Span<int> spans = _spans.Span<int>(), order = _order.Span<int>();
        Span<long> costs = _costs.Span<long>();
        for (int i = 0, run = 0; i < segments.Count; i++)
        {
            int length = segments.Length(i);
            for (int first = 0, rows; first < length; first += rows, run++)
            {
                rows = Math.Min(rowsPerRun, length - first);
                (spans[2 * run], spans[(2 * run) + 1], order[run]) = (i, first, run);
                costs[run] = -(long)rows * (segments.Past(i) + first + (rows / 2L) + 1);
                Work -= costs[run] * keyHeads;
                LongestWork = Math.Max(LongestWork, -costs[run]);
            }
        }

        costs.Sort(order);
    }

    /// <summary>Gets the number of runs of rows.</summary>
    public int Runs => _runs;

    /// <summary>Gets the number of items.</summary>
    public int Count => _runs * _keyHeads;

    /// <summary>Gets about how many pairs of a row and a key all items hold.</summary>
    public long Work { get; }

    /// <summary>Gets about how many pairs the longest item holds.</summary>
    public long LongestWork { get; }

    /// <summary>Gets the rows of the longest sequence.</summary>
    public int LongestLength { get; }

    /// <summary>
    /// Returns an item: the number of its run, its segment, rows (counted from the segment's first) and key head.
    /// </summary>
    public (int Run, int Segment, int FirstRow, int Rows, int KeyHead) Item(int index)
    {
        int run = ((int*)_order.Data)[index / _keyHeads];
        int* span = (int*)_spans.Data + (2L * run);
        int rows = Math.Min(_rowsPerRun, _segments.Length(span[0]) - span[1]);
        return (run, span[0], span[1], rows, index % _keyHeads);
    }

    /// <summary>Gives the memory back.</summary>
    public void Recycle()
    {
        _costs.Recycle();
        _order.Recycle();
        _spans.Recycle();
    }

    private int RunsOf(int length) => (int)(((long)length + _rowsPerRun - 1) / _rowsPerRun);
}
