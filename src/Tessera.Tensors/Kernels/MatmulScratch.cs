using Tessera.Tensors.Memory;

namespace Tessera.Tensors.Kernels;

/// <summary>
/// Keeps a thread's memory for packed operands and unfinished sums, so that a product allocates nothing once warm.
/// </summary>
internal sealed unsafe class MatmulScratch
{
    [ThreadStatic]
    private static MatmulScratch? _ofThread;

    private NativeBlock? _left;
    private NativeBlock? _right;
    private NativeBlock? _partial;

    public static MatmulScratch OfThread => _ofThread ??= new MatmulScratch();

    public byte* Left(long bytes) => Take(ref _left, bytes);

    public byte* Right(long bytes) => Take(ref _right, bytes);

    public byte* Partial(long bytes) => Take(ref _partial, bytes);

    private static byte* Take(ref NativeBlock? block, long bytes)
    {
        if (block is null || block.Bytes < bytes)
        {
            block?.Dispose();
            block = null;
            block = new NativeBlock(bytes);
        }

        return (byte*)block.Pointer;
    }
}
