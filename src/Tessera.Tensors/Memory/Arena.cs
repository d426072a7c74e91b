namespace Tessera.Tensors.Memory;

/// <summary>
/// Hands out memory by moving a mark through blocks that it keeps. Touching new pages costs several times the
/// arithmetic done on them, so memory is never given back to the system while the arena lives: the next step finds its
/// pages warm.
/// </summary>
internal sealed unsafe class Arena
{
    private const long SmallestBlock = 64L << 20;
    private const long Alignment = 64;

    private readonly List<NativeBlock> _blocks = [];
    private int _block;
    private long _used;

    /// <summary>Gets the place up to which memory is in use.</summary>
    public Mark Position => new(_block, _used);

    /// <summary>
    /// Returns memory for <paramref name="bytes"/> bytes, aligned to a cache line; its content is not defined.
    /// </summary>
    public void* Take(long bytes)
    {
        long size = Round(bytes);
        while (_block < _blocks.Count && _used + size > _blocks[_block].Bytes)
        {
            _block++;
            _used = 0;
        }

        if (_block == _blocks.Count)
        {
            _blocks.Add(new NativeBlock(Math.Max(size, SmallestBlock)));
        }

        byte* taken = (byte*)_blocks[_block].Pointer + _used;
        _used += size;
        return taken;
    }

    /// <summary>Frees everything that was taken after <paramref name="mark"/>.</summary>
    public void ReturnTo(Mark mark) => (_block, _used) = (mark.Block, mark.Used);

    /// <summary>Returns the size that is really used up for <paramref name="bytes"/> bytes.</summary>
    public static long Round(long bytes) => Math.Max(Alignment, (bytes + Alignment - 1) / Alignment * Alignment);

    /// <summary>A place in the arena.</summary>
    internal readonly record struct Mark(int Block, long Used);
}
