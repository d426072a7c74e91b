using Tessera.Training.Data;
using Xunit;

namespace Tessera.Training.Tests.Data;

public sealed class SourceFilesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public SourceFilesTests()
    {
        foreach (string name in (string[])["b/x.txt", "b/c/y.jsonl.gz", "a.md", "b/c/z.csv", "b/notes.txt"])
        {
            _folder.Write(name, "text");
        }
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("a.md", "a.md")]
    [InlineData(".", "a.md b/c/y.jsonl.gz b/notes.txt b/x.txt")]
    [InlineData("b", "b/c/y.jsonl.gz b/notes.txt b/x.txt")]
    [InlineData("b/*.txt", "b/notes.txt b/x.txt")]
    [InlineData("*", "a.md")]
    [InlineData("**/*.gz", "b/c/y.jsonl.gz")]
    [InlineData("**/*", "a.md b/c/y.jsonl.gz b/notes.txt b/x.txt")]
    [InlineData("b/?.txt", "b/x.txt")]
    [InlineData("b/**/y.*", "b/c/y.jsonl.gz")]
    public void FindsFilesFoldersAndGlobs(string path, string expected) => Assert.Equal(
        expected.Split(' '),
        SourceFiles.Find(path, _folder.Path).Select(f => Path.GetRelativePath(_folder.Path, f).Replace('\\', '/')));

    [Theory]
    [InlineData("missing.txt")]
    [InlineData("b/c/*.txt")]
    public void SaysWhatIsNotThere(string path) => Assert.Contains(
        path,
        Assert.Throws<FileNotFoundException>(() => SourceFiles.Find(path, _folder.Path)).Message,
        StringComparison.Ordinal);

    [Fact]
    public void SaysWhatItCannotRead() => Assert.Contains(
        ".csv",
        Assert.Throws<InvalidDataException>(() => SourceFiles.Find("b/c/z.csv", _folder.Path)).Message,
        StringComparison.Ordinal);
}
