namespace Tessera.Tensors.Files;

/// <summary>Says in words what the system's errors mean for the one who waits for a file to be written.</summary>
internal static class FileFaults
{
    // ENOSPC and EDQUOT; ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL.
    private const int NoSpace = 28;
    private const int OverQuota = 122;
    private const int WindowsDiskFull = unchecked((int)0x80070070);
    private const int WindowsHandleDiskFull = unchecked((int)0x80070027);

    /// <summary>Returns whether an error says that the disk or the user's share of it is full.</summary>
    public static bool IsDiskFull(Exception error) =>
        error is IOException && error.HResult is NoSpace or OverQuota or WindowsDiskFull or WindowsHandleDiskFull;

    /// <summary>Returns whether an error is the system's, and not the caller's own.</summary>
    public static bool IsFault(Exception error) => error is IOException or UnauthorizedAccessException;

    /// <summary>Finds out that a disk is full before time is spent on filling it.</summary>
    /// <exception cref="IOException">The disk has less room than that.</exception>
    public static void RequireSpace(string folder, long bytes)
    {
        if (bytes > 0 && new DriveInfo(folder).AvailableFreeSpace is var free && free < bytes)
        {
            throw new IOException($"{bytes:N0} bytes are needed and {free:N0} are free", NoSpace);
        }
    }

    /// <summary>Makes the error that names the file, the reason, and what has become of the one before.</summary>
    public static Exception Explain(Exception error, string path)
    {
        bool before = Path.Exists(path);
        string kept = before ? "the one that was there before is intact" : "nothing was left behind";
        return error switch
        {
            UnauthorizedAccessException => new UnauthorizedAccessException(
                $"{path}: could not be written: no permission ({error.Message}); {kept}", error),
            _ when IsDiskFull(error) => new IOException(
                $"{path}: could not be written: the disk is full ({error.Message}); {kept}", error)
            {
                HResult = error.HResult,
            },
            _ => new IOException($"{path}: could not be written: {error.Message}; {kept}", error)
            {
                HResult = error.HResult,
            },
        };
    }
}
