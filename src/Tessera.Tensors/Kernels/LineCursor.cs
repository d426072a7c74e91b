using System.Runtime.CompilerServices;

namespace Tessera.Tensors.Kernels;

/// <summary>
/// Walks the lines of one key head in (N, H, D): each row with each of the heads that share the key head, one after the
/// other.
/// </summary>
internal struct LineCursor
{
    private readonly int _group;
    private readonly int _heads;
    private int _place;

    /// <summary>Begins at a line of a run of rows.</summary>
    /// <param name="firstRow">The run's first row.</param>
    /// <param name="heads">H.</param>
    /// <param name="group">The heads that share the key head.</param>
    /// <param name="keyHead">The key head.</param>
    /// <param name="line">The line, counted from the run's first.</param>
    public LineCursor(long firstRow, int heads, int group, int keyHead, int line)
    {
        (_heads, _group, _place) = (heads, group, line % group);
        Index = ((firstRow + (line / group)) * heads) + (keyHead * group) + _place;
    }

    /// <summary>Gets the number of the line's row and head: its entries begin at D times as much.</summary>
    public long Index { get; private set; }

    /// <summary>Goes to the next line.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Next()
    {
        Index++;
        if (++_place == _group)
        {
            _place = 0;
            Index += _heads - _group;
        }
    }
}
