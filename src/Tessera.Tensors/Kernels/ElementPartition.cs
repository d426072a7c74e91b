namespace Tessera.Tensors.Kernels;

/// <summary>
/// Cuts a run of elements into the items of a parallel region, whole vectors each; the shape alone decides.
/// </summary>
internal readonly struct ElementPartition
{
    private readonly RowPartition _vectors;

    public ElementPartition(long count)
    {
        Count = count;
        _vectors = new RowPartition(checked((int)((count + IElement.Lanes - 1) / IElement.Lanes)), IElement.Lanes);
    }

    public long Count { get; }

    public int Items => _vectors.Items;

    public (long First, long End) Item(int index)
    {
        (int first, int end) = _vectors.Item(index);
        return ((long)first * IElement.Lanes, Math.Min(Count, (long)end * IElement.Lanes));
    }
}
