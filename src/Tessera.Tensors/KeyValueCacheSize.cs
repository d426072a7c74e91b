namespace Tessera.Tensors;

/// <summary>Holds the sizes of a cache, which say what memory it takes before any is asked for.</summary>
public sealed record KeyValueCacheSize
{
    /// <summary>The positions of a block are a multiple of this: the widest panel that a kernel reads.</summary>
    public const int PanelPositions = 32;

    private const int LargestHead = 1 << 16;

    /// <summary>Checks the sizes.</summary>
    /// <param name="layers">How many layers have keys and values of their own.</param>
    /// <param name="blocks">How many blocks there are; a sequence's block holds its positions in every layer.</param>
    /// <param name="keyHeads">K, the heads of keys and values.</param>
    /// <param name="headSize">D, the entries of a head.</param>
    /// <param name="type">F32 or BF16; F64 for the references.</param>
    /// <param name="blockPositions">The positions of a block, a multiple of 32.</param>
    /// <exception cref="ArgumentException">
    /// A size is below 1, the type isn't held, a block is beyond 2^31 bytes or the whole beyond 2^46.
    /// </exception>
    public KeyValueCacheSize(
        int layers, int blocks, int keyHeads, int headSize, DType type, int blockPositions = PanelPositions)
    {
        if (Math.Min(Math.Min(layers, blocks), Math.Min(keyHeads, headSize)) < 1 || headSize > LargestHead)
        {
            throw new ArgumentException(
                $"KeyValueCache: {layers} layers, {blocks} blocks, {keyHeads} heads of {headSize}; " +
                $"each is at least 1, heads hold at most {LargestHead} entries");
        }

        if (blockPositions < 1 || blockPositions % PanelPositions != 0)
        {
            throw new ArgumentException(
                $"KeyValueCache: blocks of {blockPositions} positions; a multiple of {PanelPositions} is wanted");
        }

        if (type is not (DType.F32 or DType.BF16 or DType.F64))
        {
            throw new ArgumentException($"KeyValueCache: {type} isn't held; F32, BF16 and F64 are");
        }

        (Layers, Blocks, KeyHeads, HeadSize) = (layers, blocks, keyHeads, headSize);
        (Type, BlockPositions) = (type, blockPositions);
        double bytes = (double)layers * blocks * keyHeads * HeadBytes(PanelPositions);
        if (bytes > 1L << 46 || HeadBytes(PanelPositions) > int.MaxValue)
        {
            throw new ArgumentException($"KeyValueCache: {bytes:F0} bytes are beyond any memory");
        }
    }

    /// <summary>Gets the number of layers.</summary>
    public int Layers { get; }

    /// <summary>Gets the number of blocks.</summary>
    public int Blocks { get; }

    /// <summary>Gets the heads of keys and values.</summary>
    public int KeyHeads { get; }

    /// <summary>Gets the entries of a head.</summary>
    public int HeadSize { get; }

    /// <summary>Gets the type of the stored entries.</summary>
    public DType Type { get; }

    /// <summary>Gets the positions of a block.</summary>
    public int BlockPositions { get; }

    /// <summary>
    /// Gets the bytes of all blocks of all layers (an upper bound: where panels are narrower, less is padded).
    /// </summary>
    public long Bytes => Layers * (long)Blocks * KeyHeads * HeadBytes(PanelPositions);

    /// <summary>Returns how many blocks a sequence of so many positions takes.</summary>
    public int BlocksFor(int positions) => (int)(((long)positions + BlockPositions - 1) / BlockPositions);

    /// <summary>Returns the bytes of one head's keys in a block; entries are stored in pairs.</summary>
    internal long KeyBytes => (long)BlockPositions * ((HeadSize + 1) / 2 * 2) * Type.Size();

    /// <summary>Returns the bytes of one head's keys and values in a block for panels of so many columns.</summary>
    internal long HeadBytes(int panelColumns) =>
        KeyBytes + ((long)BlockPositions * ((HeadSize + panelColumns - 1) / panelColumns * panelColumns) * Type.Size());
}
