namespace Tessera.Tensors.Kernels;

/// <summary>Names one generated tile: its instructions, its arithmetic and its size in rows and vectors.</summary>
internal readonly record struct TileShape(InstructionSet Set, bool BFloat16, int Rows, int Vectors)
{
    /// <summary>Two vectors make a panel of B.</summary>
    public const int PanelVectors = 2;

    /// <summary>
    /// Returns the rows of the set's largest tile: 28 (12) accumulators of 32 (16) registers, two vectors of B, two of
    /// A.
    /// </summary>
    public static int MaxRows(InstructionSet set) => set switch
    {
        InstructionSet.Portable => PortableTile.Rows,
        InstructionSet.Avx2 => 6,
        _ => 14,
    };

    /// <summary>
    /// Returns how many vectors wide a tile of so few rows can be. One row of one panel would wait for its own sums
    /// (4 to 6 cycles a step); four panels side by side read memory at full speed.
    /// </summary>
    public static int MaxVectors(InstructionSet set, int rows) => set switch
    {
        InstructionSet.Avx2 => rows == 1 ? 8 : rows <= 3 ? 4 : PanelVectors,
        _ => rows <= 3 ? 8 : rows <= 6 ? 4 : PanelVectors,
    };

    /// <summary>Returns every shape that a generated set is made of.</summary>
    public static IEnumerable<TileShape> All(InstructionSet set) =>
        from bfloat16 in set == InstructionSet.Avx512BFloat16 ? [false, true] : new[] { false }
        from rows in Enumerable.Range(1, MaxRows(set))
        from vectors in new[] { 1, 2, 4, 8 }
        where vectors <= MaxVectors(set, rows) && (vectors > 1 || set != InstructionSet.Avx2)
        select new TileShape(set, bfloat16, rows, vectors);
}
