using Tessera.Tensors.Files;
using Tessera.Testing;
using Xunit;

namespace Tessera.Tensors.Tests.Files;

public sealed class AtomicFileTests
{
    private const int DiskBytes = 1 << 18;

    [Fact]
    public void AFileIsWrittenAndReplaced()
    {
        using TemporaryFolder folder = new();
        string path = folder.Path("a");
        AtomicFile.Write(path, "one");
        AtomicFile.Write(path, "two, ä");
        Assert.Equal("two, ä", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFileSystemEntries(folder.Path(".")).Select(Path.GetFullPath));
    }

    [Fact]
    public void AMappingOfTheReplacedFileStaysIntact()
    {
        using TemporaryFolder folder = new();
        string path = folder.Path("a");
        AtomicFile.Write(path, "old");
        using MappedFile mapped = MappedFile.Open(path);
        AtomicFile.Write(path, "");
        Assert.Equal("old"u8, mapped.Bytes(0, 3));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5000)]
    public void AWriterThatFailsLeavesTheOldFile(int after)
    {
        using TemporaryFolder folder = new();
        string path = folder.Path("a");
        AtomicFile.Write(path, "old");
        Assert.Throws<NotSupportedException>(() => AtomicFile.Write(path, stream =>
        {
            stream.Write(new byte[after]);
            throw new NotSupportedException("after some bytes");
        }));
        AssertOnlyOld(path);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(DiskBytes * 2)]
    public void AFullDiskSaysSoAndLeavesTheOldFile(long bytesSaidBefore)
    {
        using SmallDisk disk = SmallDisk.Mount(DiskBytes);
        string path = disk.Path("a");
        AtomicFile.Write(path, "old");
        IOException error = Assert.Throws<IOException>(
            () => AtomicFile.Write(path, stream => stream.Write(new byte[DiskBytes * 2]), bytesSaidBefore));
        Assert.StartsWith($"{path}: could not be written: the disk is full (", error.Message);
        Assert.EndsWith("the one that was there before is intact", error.Message);
        AssertOnlyOld(path);
    }

    [Fact]
    public void AFullDiskWithoutAnOldFileLeavesNothing()
    {
        using SmallDisk disk = SmallDisk.Mount(DiskBytes);
        IOException error = Assert.Throws<IOException>(
            () => AtomicFile.Write(disk.Path("a"), stream => stream.Write(new byte[DiskBytes * 2])));
        Assert.EndsWith("nothing was left behind", error.Message);
        Assert.Empty(Directory.GetFileSystemEntries(disk.Path(".")));
    }

    [Fact]
    public void AReadOnlyDiskSaysSo()
    {
        using SmallDisk disk = SmallDisk.Mount(DiskBytes);
        AtomicFile.Write(disk.Path("a"), "old");
        disk.MakeReadOnly();
        IOException error = Assert.Throws<IOException>(() => AtomicFile.Write(disk.Path("a"), "new"));
        Assert.Contains("Read-only file system", error.Message);
        AssertOnlyOld(disk.Path("a"));
    }

    [Fact]
    public void AFolderWithoutPermissionSaysSo()
    {
        Assert.SkipWhen(Environment.IsPrivilegedProcess, "root may write everywhere");
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("permissions are set as on Unix");
            return;
        }

        using TemporaryFolder folder = new();
        string inner = Directory.CreateDirectory(folder.Path("inner")).FullName;
        File.SetUnixFileMode(inner, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        try
        {
            UnauthorizedAccessException error = Assert.Throws<UnauthorizedAccessException>(
                () => AtomicFile.Write(Path.Combine(inner, "a"), "new"));
            Assert.Contains("no permission", error.Message);
        }
        finally
        {
            File.SetUnixFileMode(inner, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.UserWrite);
        }
    }

    [Fact]
    public void AMissingFolderOrAFolderInTheWaySaysSo()
    {
        using TemporaryFolder folder = new();
        string path = folder.Path("absent/a");
        IOException absent = Assert.Throws<IOException>(() => AtomicFile.Write(path, ""));
        Assert.StartsWith($"{path}: could not be written", absent.Message);
        Directory.CreateDirectory(folder.Path("b"));
        Assert.ThrowsAny<Exception>(() => AtomicFile.Write(folder.Path("b"), ""));
        Assert.Equal([folder.Path("b")], Directory.GetFileSystemEntries(folder.Path("")));
    }

    [Fact]
    public void TheRemainsOfAKilledWriterAreOverwritten()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder.Path(".a.tmp"), "remains that are longer than the new content");
        AtomicFile.Write(folder.Path("a"), "new");
        Assert.Equal("new", File.ReadAllText(folder.Path("a")));
        Assert.False(File.Exists(folder.Path(".a.tmp")));
    }

    [Fact]
    public void ASecondWriterOfTheSameFileIsRefusedAndTheFirstIsNotDisturbed()
    {
        using TemporaryFolder folder = new();
        string path = folder.Path("a");
        AtomicFile.Write(path, stream =>
        {
            stream.Write("first"u8);
            Assert.Throws<IOException>(() => AtomicFile.Write(path, "second"));
        });
        Assert.Equal("first", File.ReadAllText(path));
    }

    private static void AssertOnlyOld(string path)
    {
        Assert.Equal("old", File.ReadAllText(path));
        Assert.Equal(["a"], Directory.GetFileSystemEntries(Path.GetDirectoryName(path)!).Select(Path.GetFileName));
    }
}
