using Tessera.Testing;
using Xunit;

namespace Tessera.Tidy.Tests;

public sealed class FixtureTests
{
    private static readonly string _fixtures = Path.Combine(SharedFiles.RepositoryRoot, "tests", "fixtures");

    [Fact]
    public void EachCopyEqualsTheFileItWasCopiedFrom()
    {
        // Not where TESSERA_SHARED points: that may be another set of files.
        string source = Path.GetFullPath(Path.Combine(SharedFiles.RepositoryRoot, "..", "shared"));
        Assert.SkipUnless(Directory.Exists(source), "the files that were copied are not beside the repository");
        string[] copies = [.. Directory.EnumerateFiles(_fixtures, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(_fixtures, path))
            .Where(path => path != "README.md" && File.Exists(Path.Combine(source, path)))];
        Assert.NotEmpty(copies);
        Assert.All(copies, path => Assert.True(
            File.ReadAllBytes(Path.Combine(_fixtures, path)).AsSpan()
                .SequenceEqual(File.ReadAllBytes(Path.Combine(source, path))),
            $"{path} is not what it was copied from"));
    }
}
