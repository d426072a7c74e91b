namespace Tessera.Inference.Sampling;

/// <summary>Gives the order and the weight of what <see cref="PrefixSelection"/> searches.</summary>
internal interface ISelectionItems
{
    /// <summary>Returns an item's place in the order: smaller comes first.</summary>
    ulong Key(int position);

    /// <summary>Returns what an item adds to the sum: more than 0.</summary>
    double Weight(int position);
}
