namespace Tessera.Tensors;

/// <summary>Holds the sizes that attention's definition needs beside its operands.</summary>
/// <param name="Heads">H, the query heads.</param>
/// <param name="KeyHeads">K, the heads of keys and values; query head h reads key head h / (H / K).</param>
/// <param name="HeadSize">D, the entries of a head.</param>
public readonly record struct AttentionHeads(int Heads, int KeyHeads, int HeadSize)
{
    /// <summary>Gets the number of query heads that share a key head.</summary>
    public int GroupSize => Heads / KeyHeads;
}
