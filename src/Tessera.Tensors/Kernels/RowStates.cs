using System.Runtime.CompilerServices;

namespace Tessera.Tensors.Kernels;

/// <summary>Holds what the streaming softmax knows of each row of a tile, a vector for each fact.</summary>
internal unsafe struct RowStates
{
    /// <summary>The row's position in its sequence.</summary>
    public fixed int Position[AttentionCall.MostRows];

    /// <summary>The first key of the step that the row sees, counted from the step's first.</summary>
    public fixed int FirstKey[AttentionCall.MostRows];

    /// <summary>
    /// The key after the last of the step that the row sees; at most <see cref="FirstKey"/> where it sees none.
    /// </summary>
    public fixed int EndKey[AttentionCall.MostRows];

    /// <summary>The largest score so far, in units of log2 e.</summary>
    public fixed float Max[AttentionCall.MostRows];

    /// <summary>The sum so far of 2^(score − <see cref="Max"/>).</summary>
    public fixed float Sum[AttentionCall.MostRows];

    /// <summary>The largest product of the step, not scaled.</summary>
    public fixed float Largest[AttentionCall.MostRows];

    /// <summary>What the step's scores are taken relative to.</summary>
    public fixed float Origin[AttentionCall.MostRows];

    /// <summary>What earlier sums are multiplied by.</summary>
    public fixed float Shrink[AttentionCall.MostRows];

    /// <summary>The step's part of the sum.</summary>
    public fixed float Added[AttentionCall.MostRows];

    /// <summary>
    /// Sets the rows' states before the first key: of a tile that begins with row-and-head number <paramref
    /// name="first"/> of the item.
    /// </summary>
    public void Begin(int firstPosition, int first, int rows, int head, ref readonly AttentionCall call)
    {
        for (int r = 0; r < AttentionCall.MostRows; r++)
        {
            int at = first + Math.Min(r, rows - 1);
            Position[r] = firstPosition + (at / call.Group);
            (Max[r], Sum[r]) = call.Sinks is null
                ? (float.NegativeInfinity, 0)
                : (call.Sinks[(head * call.Group) + (at % call.Group)], 1f);
        }
    }

    /// <summary>
    /// Sets which of the keys from <paramref name="first"/> on, <paramref name="count"/> of them, each row sees.
    /// </summary>
    public void See(int first, int count, int rows, ref readonly AttentionCall call)
    {
        for (int r = 0; r < rows; r++)
        {
            FirstKey[r] = Math.Max(0, call.FirstKey(Position[r]) - first);
            EndKey[r] = Math.Clamp(Position[r] + 1 - first, 0, count);
        }
    }

    /// <summary>Returns whether a row's earlier sums shrink in this step.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool Shrinks(int row) => Shrink[row] != 1;
}
