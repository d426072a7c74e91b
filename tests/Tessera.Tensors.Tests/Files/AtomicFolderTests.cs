using Tessera.Tensors.Files;
using Tessera.Testing;
using Xunit;

namespace Tessera.Tensors.Tests.Files;

public sealed class AtomicFolderTests
{
    private const int DiskBytes = 1 << 18;

    [Fact]
    public void AFolderIsWrittenAndReplacedWhole()
    {
        using TemporaryFolder folder = new();
        string path = folder.Path("model");
        AtomicFolder.Write(path, temporary =>
        {
            Assert.False(Directory.Exists(path));
            File.WriteAllText(Path.Combine(temporary, "one"), "1");
            Directory.CreateDirectory(Path.Combine(temporary, "inner"));
            File.WriteAllText(Path.Combine(temporary, "inner", "two"), "2");
        });
        Assert.Equal("2", File.ReadAllText(Path.Combine(path, "inner", "two")));

        AtomicFolder.Write(path, temporary => File.WriteAllText(Path.Combine(temporary, "three"), "3"));
        Assert.Equal(["three"], Names(path));
        Assert.Equal(["model"], Names(folder.Path("")));
    }

    [Fact]
    public void AWriterThatFailsLeavesTheOldFolder()
    {
        using TemporaryFolder folder = new();
        string path = Old(folder.Path("model"));
        Assert.Throws<NotSupportedException>(() => AtomicFolder.Write(path, temporary =>
        {
            File.WriteAllText(Path.Combine(temporary, "new"), "");
            throw new NotSupportedException("between two files");
        }));
        AssertOnlyOld(path);
    }

    [Fact]
    public void AFullDiskSaysSoAndLeavesTheOldFolder()
    {
        using SmallDisk disk = SmallDisk.Mount(DiskBytes);
        string path = Old(disk.Path("model"));
        IOException error = Assert.Throws<IOException>(() => AtomicFolder.Write(path, temporary =>
        {
            AtomicFile.Write(Path.Combine(temporary, "small"), "small");
            AtomicFile.Write(Path.Combine(temporary, "large"), new byte[DiskBytes * 2]);
        }));
        Assert.StartsWith($"{path}: could not be written: the disk is full (", error.Message);
        Assert.EndsWith("the one that was there before is intact", error.Message);
        AssertOnlyOld(path);
    }

    [Fact]
    public void TheRemainsOfAKilledWriterAreRemoved()
    {
        using TemporaryFolder folder = new();
        Old(folder.Path(".model.tmp"));
        AtomicFolder.Write(folder.Path("model"), temporary => File.WriteAllText(Path.Combine(temporary, "new"), ""));
        Assert.Equal(["new"], Names(folder.Path("model")));
        Assert.Equal(["model"], Names(folder.Path("")));
    }

    [Fact]
    public void WithoutAnExchangeTheFolderIsReplacedInTwoSteps()
    {
        using TemporaryFolder folder = new();
        string target = Old(folder.Path("model"));
        string temporary = Directory.CreateDirectory(folder.Path(".model.tmp")).FullName;
        File.WriteAllText(Path.Combine(temporary, "new"), "");
        AtomicFolder.ReplaceInTwoSteps(temporary, target);
        Assert.Equal(["new"], Names(target));
        Assert.Equal(["model"], Names(folder.Path("")));
    }

    [Fact]
    public void AWriterKilledBetweenTheTwoStepsIsPutRight()
    {
        using TemporaryFolder folder = new();
        Old(folder.Path(".model.old"));
        AtomicFolder.Restore(folder.Path("model"));
        AssertOnlyOld(folder.Path("model"));

        // Killed one step later: the new one stands, the old one is only to be removed.
        Old(folder.Path(".model.old"));
        File.WriteAllText(folder.Path("model/file"), "new");
        AtomicFolder.Restore(folder.Path("model"));
        Assert.Equal("new", File.ReadAllText(folder.Path("model/file")));
        Assert.Equal(["model"], Names(folder.Path("")));
    }

    private static string Old(string path)
    {
        Directory.CreateDirectory(path);
        File.WriteAllText(Path.Combine(path, "file"), "old");
        return path;
    }

    private static void AssertOnlyOld(string path)
    {
        Assert.Equal("old", File.ReadAllText(Path.Combine(path, "file")));
        Assert.Equal(["file"], Names(path));
        Assert.Equal([Path.GetFileName(path)], Names(Path.GetDirectoryName(path)!));
    }

    private static string[] Names(string folder) =>
        [.. Directory.GetFileSystemEntries(folder).Select(entry => Path.GetFileName(entry)).Order()];
}
