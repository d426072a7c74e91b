namespace Tessera.Inference;

/// <summary>Lends the blocks of a cache.</summary>
internal sealed class BlockPool
{
    private readonly Stack<int> _free;

    public BlockPool(int blocks, int blockSize)
    {
        (Blocks, BlockSize) = (blocks, blockSize);
        _free = new Stack<int>(Enumerable.Range(0, blocks).Reverse());
    }

    /// <summary>Gets how many blocks there are.</summary>
    public int Blocks { get; }

    /// <summary>Gets how many positions a block holds.</summary>
    public int BlockSize { get; }

    /// <summary>Gets how many blocks aren't lent.</summary>
    public int Free => _free.Count;

    /// <summary>Returns how many blocks hold a number of positions.</summary>
    public int BlocksFor(int positions) => (positions + BlockSize - 1) / BlockSize;

    /// <summary>Takes as many blocks as the span holds, which must not be more than are free.</summary>
    public void Take(Span<int> blocks)
    {
        for (int i = 0; i < blocks.Length; i++)
        {
            blocks[i] = _free.Pop();
        }
    }

    /// <summary>Gives blocks back.</summary>
    public void Return(ReadOnlySpan<int> blocks)
    {
        foreach (int block in blocks)
        {
            _free.Push(block);
        }
    }
}
