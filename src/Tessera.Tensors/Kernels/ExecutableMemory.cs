using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Tessera.Tensors.Kernels;

/// <summary>
/// Places generated code in pages that are written first and made executable then, never both at once.
/// </summary>
internal static unsafe partial class ExecutableMemory
{
    private const int ProtectRead = 1, ProtectWrite = 2, ProtectExecute = 4; // sys/mman.h
    private const int MapPrivate = 2, MapAnonymousLinux = 0x20, MapAnonymousMac = 0x1000;
    private const uint MemoryCommitReserve = 0x3000, PageReadWrite = 0x04, PageExecuteRead = 0x20; // winnt.h

    /// <summary>
    /// Copies code into fresh executable memory, which stays until the process ends, and returns its address.
    /// </summary>
    public static nint Place(ReadOnlySpan<byte> code)
    {
        int page = Environment.SystemPageSize;
        nuint size = (nuint)((code.Length + page - 1) / page * page);
        return OperatingSystem.IsWindows() ? PlaceWindows(code, size) : PlaceUnix(code, size);
    }

    private static nint PlaceUnix(ReadOnlySpan<byte> code, nuint size)
    {
        int anonymous = OperatingSystem.IsMacOS() ? MapAnonymousMac : MapAnonymousLinux;
        nint memory = Map(0, size, ProtectRead | ProtectWrite, MapPrivate | anonymous, -1, 0);
        if (memory == -1)
        {
            throw Failure("mmap", size);
        }

        code.CopyTo(new Span<byte>((void*)memory, code.Length));
        return Protect(memory, size, ProtectRead | ProtectExecute) == 0 ? memory : throw Failure("mprotect", size);
    }

    private static nint PlaceWindows(ReadOnlySpan<byte> code, nuint size)
    {
        nint memory = VirtualAlloc(0, size, MemoryCommitReserve, PageReadWrite);
        if (memory == 0)
        {
            throw Failure("VirtualAlloc", size);
        }

        code.CopyTo(new Span<byte>((void*)memory, code.Length));
        return VirtualProtect(memory, size, PageExecuteRead, out _) != 0 && FlushInstructionCache(-1, memory, size) != 0
            ? memory
            : throw Failure("VirtualProtect", size);
    }

    private static InvalidOperationException Failure(string call, nuint size)
    {
        Win32Exception cause = new(Marshal.GetLastPInvokeError());
        return new($"{call}: {size} bytes of executable memory were refused ({cause.Message}); " +
            "TESSERA_ISA=portable needs none", cause);
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint size, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(nint address, nuint size, int protection);

    [LibraryImport("kernel32", SetLastError = true)]
    private static partial nint VirtualAlloc(nint address, nuint size, uint type, uint protection);

    [LibraryImport("kernel32", SetLastError = true)]
    private static partial int VirtualProtect(nint address, nuint size, uint protection, out uint former);

    [LibraryImport("kernel32", SetLastError = true)]
    private static partial int FlushInstructionCache(nint process, nint address, nuint size);
}
