using System.Runtime.InteropServices;

namespace Tessera.Tensors.Memory;

/// <summary>
/// Owns a piece of unmanaged memory, aligned for the widest vectors and, when it is large, for huge pages.
/// </summary>
/// <remarks>Blocks are few and long-lived (arenas, parameters), so a finalizer as the last resort costs
/// nothing.</remarks>
public sealed unsafe partial class NativeBlock : IDisposable
{
    private const nuint CacheLine = 64;
    private const nuint HugePage = 2 << 20;
    private const int AdviseHugePages = 14;

    [ThreadStatic]
    private static long _allocatedBytesOfThread;

    /// <summary>Allocates <paramref name="bytes"/> bytes; their content is not defined.</summary>
    /// <exception cref="InsufficientMemoryException">The system has no such amount; the message says how much was asked
    /// for.</exception>
    public NativeBlock(long bytes)
    {
        Bytes = bytes;
        bool large = (nuint)bytes >= HugePage;
        try
        {
            Pointer = NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, 1), large ? HugePage : CacheLine);
        }
        catch (OutOfMemoryException)
        {
            GC.SuppressFinalize(this);
            throw new InsufficientMemoryException(
                $"memory: {bytes:N0} bytes were asked for and the system has not got them");
        }

        _allocatedBytesOfThread += bytes;
        if (large && OperatingSystem.IsLinux())
        {
            // Advice only: fewer page faults and TLB misses where the system allows it, nothing lost where not.
            _ = MemoryAdvise(Pointer, (nuint)bytes, AdviseHugePages);
        }
    }

    /// <summary>Frees the memory of a block that was forgotten.</summary>
    ~NativeBlock() => Free();

    /// <summary>
    /// Gets the bytes of all blocks that this thread has made so far, as
    /// <see cref="GC.GetAllocatedBytesForCurrentThread"/> does for managed memory.
    /// </summary>
    public static long AllocatedBytesOfThread => _allocatedBytesOfThread;

    /// <summary>Gets the first byte; null once freed.</summary>
    public void* Pointer { get; private set; }

    /// <summary>Gets the size in bytes.</summary>
    public long Bytes { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int MemoryAdvise(void* address, nuint length, int advice);

    private void Free()
    {
        NativeMemory.AlignedFree(Pointer);
        Pointer = null;
    }
}
