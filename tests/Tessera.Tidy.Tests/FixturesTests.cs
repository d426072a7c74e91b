using Tessera.Testing;
using Xunit;

namespace Tessera.Tidy.Tests;

public sealed class FixturesTests
{
    private const long MaximumBytes = 15_000_000;

    private static string Fixtures => Path.Combine(SharedFiles.RepositoryRoot, "tests", "fixtures");

    [Fact]
    public void TheFixturesAreSmall()
    {
        long bytes = Files().Sum(file => new FileInfo(file).Length);
        Assert.InRange(bytes, 1, MaximumBytes);
    }

    [Fact]
    public void EachFixtureIsACopyOfItsOriginal()
    {
        string shared = Path.Combine(SharedFiles.RepositoryRoot, "..", "shared");
        Assert.SkipUnless(Directory.Exists(shared), $"the originals are not in {Path.GetFullPath(shared)}");
        foreach (string file in Files())
        {
            string original = Path.Combine(shared, Path.GetRelativePath(Fixtures, file));
            Assert.True(File.Exists(original), $"{file} has no original");
            Assert.True(File.ReadAllBytes(file).AsSpan().SequenceEqual(File.ReadAllBytes(original)), $"{file} differs");
        }
    }

    private static string[] Files() =>
        Directory.GetFiles(Path.Combine(Fixtures, "goldens"), "*", SearchOption.AllDirectories);
}
