using Tessera.Tensors.Files;
using Tessera.Testing;
using Xunit;

namespace Tessera.Tensors.Tests.Files;

public sealed class MappedFileTests
{
    [Fact]
    public unsafe void PartsOfAFileAreItsBytes()
    {
        using TemporaryFolder folder = new();
        byte[] content = [.. Enumerable.Range(0, 10_000).Select(i => (byte)(i * 7))];
        File.WriteAllBytes(folder.Path("a"), content);
        using MappedFile file = MappedFile.Open(folder.Path("a"));
        Assert.Equal(content.Length, file.Length);
        Assert.Equal(content, file.Bytes(0, content.Length));
        Assert.Equal(content.AsSpan(4095, 3), file.Bytes(4095, 3));
        Assert.Equal(content[^1], file.Data[content.Length - 1]);
        Assert.Empty(file.Bytes(content.Length, 0).ToArray());
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(0, -1)]
    [InlineData(0, 5)]
    [InlineData(4, 1)]
    [InlineData(long.MaxValue, int.MaxValue)]
    public void PartsOutsideTheFileAreErrors(long offset, int length)
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder.Path("a"), [1, 2, 3, 4]);
        using MappedFile file = MappedFile.Open(folder.Path("a"));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Bytes(offset, length).Length);
    }

    [Fact]
    public void AnEmptyFileIsMappedAsNothing()
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder.Path("a"), []);
        using MappedFile file = MappedFile.Open(folder.Path("a"));
        Assert.Equal(0, file.Length);
        Assert.True(file.Bytes(0, 0).IsEmpty);
    }

    [Fact]
    public void ADisposedFileSaysSo()
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder.Path("a"), [1]);
        MappedFile file = MappedFile.Open(folder.Path("a"));
        file.Dispose();
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => file.Bytes(0, 1).Length);
    }
}
