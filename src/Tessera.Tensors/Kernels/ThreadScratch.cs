using Tessera.Tensors.Memory;

namespace Tessera.Tensors.Kernels;

/// <summary>
/// Hands out pieces of a thread's own memory, which grows to the largest use and stays, so that a step allocates
/// nothing once warm.
/// </summary>
internal unsafe ref struct ThreadScratch
{
    private const long CacheLine = 64;

    [ThreadStatic]
    private static NativeBlock? _block;

    private byte* _next;
    private readonly byte* _end;

    /// <summary>
    /// Begins anew with room for so many bytes in so many pieces; what an earlier one handed out is given up.
    /// </summary>
    public ThreadScratch(long bytes, int pieces)
    {
        long all = bytes + (pieces * CacheLine);
        if (_block is null || _block.Bytes < all)
        {
            _block?.Dispose();
            _block = null;
            _block = new NativeBlock(all);
        }

        _next = (byte*)_block.Pointer;
        _end = _next + _block.Bytes;
    }

    /// <summary>Takes the next piece, aligned to a cache line.</summary>
    public byte* Take(long bytes)
    {
        byte* taken = _next;
        _next += (bytes + CacheLine - 1) / CacheLine * CacheLine;
        return _next <= _end ? taken : throw new InvalidOperationException("scratch: more was taken than reserved");
    }
}
