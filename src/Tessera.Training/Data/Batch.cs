namespace Tessera.Training.Data;

/// <summary>
/// Holds the rows of one pass through the model: N tokens of several segments one after another, and what each row
/// should say next.
/// </summary>
public sealed class Batch
{
    /// <summary>The label of a row that predicts nothing.</summary>
    public const int Masked = -100;

    private readonly int[] _tokens;
    private readonly int[] _labels;
    private readonly float[] _weights;
    private readonly int[] _segments;
    private int _segmentCount;

    /// <summary>Makes an empty batch, to be filled again and again.</summary>
    /// <param name="capacity">The number of rows that it can hold.</param>
    public Batch(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        _tokens = new int[capacity];
        _labels = new int[capacity];
        _weights = new float[capacity];
        _segments = new int[capacity];
    }

    /// <summary>Gets the number of rows that it can hold.</summary>
    public int Capacity => _tokens.Length;

    /// <summary>Gets the number of rows, N.</summary>
    public int Rows { get; private set; }

    /// <summary>Gets the ids, (N).</summary>
    public ReadOnlySpan<int> Tokens => _tokens.AsSpan(0, Rows);

    /// <summary>
    /// Gets the id that each row should predict, (N); <see cref="Masked"/> where it should learn nothing.
    /// </summary>
    public ReadOnlySpan<int> Labels => _labels.AsSpan(0, Rows);

    /// <summary>Gets the weight of each row's loss, (N); 0 where the label is masked.</summary>
    public ReadOnlySpan<float> Weights => _weights.AsSpan(0, Rows);

    /// <summary>Gets the length of each segment; their sum is N.</summary>
    public ReadOnlySpan<int> SegmentLengths => _segments.AsSpan(0, _segmentCount);

    /// <summary>Gets the number of rows whose label is not masked.</summary>
    public int Predictions { get; private set; }

    internal int Free => Capacity - Rows;

    internal void Clear() => (Rows, Predictions, _segmentCount) = (0, 0, 0);

    /// <summary>Takes rows to be written; the segment is added by <see cref="EndSegment"/>.</summary>
    internal (Memory<int> Tokens, Memory<int> Labels) Extend(int rows)
    {
        (Memory<int>, Memory<int>) taken = (_tokens.AsMemory(Rows, rows), _labels.AsMemory(Rows, rows));
        Rows += rows;
        return taken;
    }

    internal void EndSegment(int rows) => _segments[_segmentCount++] = rows;

    /// <summary>Sets weights and counts by the labels.</summary>
    internal void Finish()
    {
        Predictions = 0;
        for (int i = 0; i < Rows; i++)
        {
            bool learned = _labels[i] != Masked;
            _weights[i] = learned ? 1 : 0;
            Predictions += learned ? 1 : 0;
        }
    }
}
