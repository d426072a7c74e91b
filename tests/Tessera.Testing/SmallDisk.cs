using System.Diagnostics;
using Xunit;

namespace Tessera.Testing;

/// <summary>A file system of a few hundred kilobytes, for tests of what happens when a disk is full.</summary>
public sealed class SmallDisk : IDisposable
{
    private readonly string _path;

    private SmallDisk(string path) => _path = path;

    /// <summary>Mounts one; skips the test where the system or the user may not.</summary>
    public static SmallDisk Mount(int bytes)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "a small file system can only be mounted on Linux");
        string path = Directory.CreateTempSubdirectory("tessera-disk-").FullName;
        string? error = Run("mount", "-t", "tmpfs", "-o", $"size={bytes}", "tmpfs", path);
        if (error is not null)
        {
            Directory.Delete(path);
            Assert.Skip($"no small file system could be mounted (needs root): {error}");
        }

        return new SmallDisk(path);
    }

    /// <summary>Returns a path on the disk.</summary>
    public string Path(string relative) => System.IO.Path.Combine(_path, relative);

    /// <summary>Forbids writing.</summary>
    public void MakeReadOnly() => Assert.Null(Run("mount", "-o", "remount,ro", _path));

    public void Dispose()
    {
        _ = Run("umount", _path);
        Directory.Delete(_path);
    }

    private static string? Run(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        try
        {
            using Process process = Process.Start(start)!;
            string error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? null : error.Trim();
        }
        catch (System.ComponentModel.Win32Exception absent)
        {
            return absent.Message;
        }
    }
}
