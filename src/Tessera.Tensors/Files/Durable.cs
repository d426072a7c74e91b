using System.Runtime.InteropServices;

namespace Tessera.Tensors.Files;

/// <summary>
/// Makes the system keep what was written through a loss of power, and swaps folders at once where it can.
/// </summary>
internal static partial class Durable
{
    private const int ReadOnly = 0;
    private const int CurrentFolder = -100;
    private const uint Exchange = 2;

    /// <summary>Waits until a file's bytes are on the disk.</summary>
    public static void SyncFile(string path)
    {
        using FileStream stream = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        stream.Flush(flushToDisk: true);
    }

    /// <summary>
    /// Waits until a folder's entries, such as a new name, are on the disk; Windows does so by itself.
    /// </summary>
    public static void SyncFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        // .NET opens no folders. A file system that can't sync a folder has nothing to sync: errors say no more than
        // that.
        int handle = Open(path, ReadOnly);
        if (handle >= 0)
        {
            _ = Sync(handle);
            _ = Close(handle);
        }
    }

    /// <summary>Swaps the names of two folders at once; false where the system or the file system can't.</summary>
    public static bool TryExchange(string one, string other)
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        try
        {
            return Rename(CurrentFolder, one, CurrentFolder, other, Exchange) == 0;
        }
        catch (EntryPointNotFoundException)
        {
            // A C library of before 2018, or another one.
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Sync(int handle);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int handle);

    [LibraryImport("libc", EntryPoint = "renameat2", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Rename(int oldFolder, string oldPath, int newFolder, string newPath, uint flags);
}
