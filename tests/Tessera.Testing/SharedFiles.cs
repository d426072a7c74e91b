using Xunit;

namespace Tessera.Testing;

/// <summary>
/// Finds the reference files: where TESSERA_SHARED points, then ../shared beside the repository, then tests/fixtures.
/// </summary>
public static class SharedFiles
{
    /// <summary>
    /// Gets the repository's root: the nearest folder above the test's executable that holds Tessera.slnx.
    /// </summary>
    public static string RepositoryRoot { get; } = FindRepositoryRoot();

    /// <summary>Gets the folders that are searched, the first one first.</summary>
    public static IReadOnlyList<string> Roots { get; } = FindRoots();

    /// <summary>
    /// Returns the full path of a reference file or folder, such as <c>goldens/training/ops.json</c>; skips the test
    /// where it is absent.
    /// </summary>
    public static string Path(string relative)
    {
        string? found = TryPath(relative);
        if (found is null)
        {
            Assert.Skip(
                $"{relative} is in none of {string.Join(", ", Roots)}; set TESSERA_SHARED to the folder that holds it");
        }

        return found;
    }

    /// <summary>Returns the full path of a reference file or folder, or null where it is absent.</summary>
    public static string? TryPath(string relative)
    {
        foreach (string root in Roots)
        {
            string path = System.IO.Path.Combine(root, relative);
            if (File.Exists(path) || Directory.Exists(path))
            {
                return path;
            }
        }

        return null;
    }

    private static string FindRepositoryRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "Tessera.slnx")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException($"no folder above {AppContext.BaseDirectory} holds Tessera.slnx");
    }

    private static List<string> FindRoots()
    {
        string? named = Environment.GetEnvironmentVariable("TESSERA_SHARED");
        if (!string.IsNullOrEmpty(named))
        {
            return [System.IO.Path.GetFullPath(named)];
        }

        string beside = System.IO.Path.GetFullPath(System.IO.Path.Combine(RepositoryRoot, "..", "shared"));
        string fixtures = System.IO.Path.Combine(RepositoryRoot, "tests", "fixtures");
        return Directory.Exists(beside) ? [beside] : [fixtures];
    }
}
