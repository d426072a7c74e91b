using System.Diagnostics.CodeAnalysis;

namespace Tessera.Tensors;

/// <summary>
/// Describes a ragged batch: the rows (tokens) of several sequences that stand one after the other in one tensor.
/// Packed documents in training, slices of prompts and single decode tokens have the same form. The object is reused:
/// once warm, describing a batch allocates nothing.
/// </summary>
/// <remarks>Don't change it between a recorded forward pass and its backward pass.</remarks>
[SuppressMessage("Naming", "CA1724", Justification = "A batch of segments is what it is.")]
public sealed class Segments
{
    private Segment[] _segments = new Segment[4];
    private int[] _blocks = new int[16];
    private int[] _positions = new int[64];
    private int _blockCount;

    /// <summary>Gets the number of segments.</summary>
    public int Count { get; private set; }

    /// <summary>Gets the number of rows of all segments.</summary>
    public int Rows { get; private set; }

    /// <summary>Gets the position of each row in its sequence: the segment's past, then one more a row.</summary>
    public ReadOnlySpan<int> Positions => _positions.AsSpan(0, Rows);

    /// <summary>Gets a number that grows with every change.</summary>
    internal int Version { get; private set; }

    /// <summary>Makes a batch of whole sequences of these lengths, without a past.</summary>
    public static Segments Of(params ReadOnlySpan<int> lengths)
    {
        Segments segments = new();
        foreach (int length in lengths)
        {
            segments.Add(length);
        }

        return segments;
    }

    /// <summary>Takes all segments out.</summary>
    public void Clear()
    {
        (Count, Rows, _blockCount) = (0, 0, 0);
        Version++;
    }

    /// <summary>Adds the next rows.</summary>
    /// <param name="length">How many rows the segment has; zero is allowed.</param>
    /// <param name="past">How many positions of the sequence came before them.</param>
    /// <param name="blocks">
    /// The cache blocks of the sequence in the order of its positions, those to be written included; copied.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// A number is negative, or there are more rows or positions than an int counts.
    /// </exception>
    public void Add(int length, int past = 0, ReadOnlySpan<int> blocks = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfNegative(past);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Array.MaxLength - Rows);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(past, int.MaxValue - length);

        Reserve(ref _segments, Count + 1, Count);
        Reserve(ref _positions, Rows + length, Rows);
        Reserve(ref _blocks, checked(_blockCount + blocks.Length), _blockCount);

        _segments[Count++] = new Segment(Rows, length, past, _blockCount, blocks.Length);
        for (int i = 0; i < length; i++)
        {
            _positions[Rows + i] = past + i;
        }

        blocks.CopyTo(_blocks.AsSpan(_blockCount));
        Rows += length;
        _blockCount += blocks.Length;
        Version++;
    }

    /// <summary>Returns the first row of a segment.</summary>
    public int Start(int segment) => At(segment).Start;

    /// <summary>Returns the number of rows of a segment.</summary>
    public int Length(int segment) => At(segment).Length;

    /// <summary>Returns how many positions of a segment's sequence came before its rows.</summary>
    public int Past(int segment) => At(segment).Past;

    /// <summary>
    /// Returns the cache blocks of a segment's sequence, in the order of its positions; empty when there is no cache.
    /// </summary>
    public ReadOnlySpan<int> Blocks(int segment)
    {
        Segment found = At(segment);
        return _blocks.AsSpan(found.FirstBlock, found.BlockCount);
    }

    private static void Reserve<T>(ref T[] array, int wanted, int used)
    {
        if (wanted <= array.Length)
        {
            return;
        }

        T[] larger = new T[(int)Math.Min(Math.Max(wanted, 2L * array.Length), Array.MaxLength)];
        array.AsSpan(0, used).CopyTo(larger);
        array = larger;
    }

    private Segment At(int segment)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(segment);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(segment, Count);
        return _segments[segment];
    }

    private readonly record struct Segment(int Start, int Length, int Past, int FirstBlock, int BlockCount);
}
