namespace Tessera.Inference;

/// <summary>Lends the blocks of a cache.</summary>
internal sealed class BlockPool
{
    // An array and not a stack, whose code for numbers would have to be compiled each time a program starts.
    private readonly int[] _free;

    public BlockPool(int blocks, int blockSize)
    {
        (Blocks, BlockSize) = (blocks, blockSize);
        _free = new int[blocks];
        for (int i = blocks - 1; i >= 0; i--)
        {
            _free[Free++] = i;
        }
    }

    /// <summary>Gets how many blocks there are.</summary>
    public int Blocks { get; }

    /// <summary>Gets how many positions a block holds.</summary>
    public int BlockSize { get; }

    /// <summary>Gets how many blocks aren't lent.</summary>
    public int Free { get; private set; }

    /// <summary>Returns how many blocks hold a number of positions.</summary>
    public int BlocksFor(int positions) => (positions + BlockSize - 1) / BlockSize;

    /// <summary>Takes as many blocks as the span holds, which must not be more than are free.</summary>
    public void Take(Span<int> blocks)
    {
        for (int i = 0; i < blocks.Length; i++)
        {
            blocks[i] = _free[--Free];
        }
    }

    /// <summary>Gives blocks back.</summary>
    public void Return(ReadOnlySpan<int> blocks)
    {
        foreach (int block in blocks)
        {
            _free[Free++] = block;
        }
    }
}
