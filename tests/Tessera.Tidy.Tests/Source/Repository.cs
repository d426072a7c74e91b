using Tessera.Testing;

namespace Tessera.Tidy.Tests.Source;

/// <summary>The files that the rules look at: the repository's, or a few that a test makes up.</summary>
/// <param name="Files">The text files.</param>
/// <param name="Sizes">The bytes of every file, text or not, by path.</param>
internal sealed record Repository(IReadOnlyList<SourceFile> Files, IReadOnlyDictionary<string, long> Sizes)
{
    private static readonly HashSet<string> _notOurs =
        ["artifacts", "bin", "obj", "runs", ".git", ".vs", ".idea", ".vscode", "node_modules", "TestResults"];

    private static readonly HashSet<string> _textKinds =
    [
        ".cs", ".csproj", ".props", ".targets", ".slnx", ".md", ".yaml", ".yml", ".sh", ".mjs", ".js", ".css", ".html",
    ];

    private static readonly Lazy<Repository> _here = new(() => Load(SharedFiles.RepositoryRoot));

    /// <summary>Gets the repository that this test stands in; read once.</summary>
    public static Repository Ours => _here.Value;

    /// <summary>Makes one up of a few files.</summary>
    public static Repository Of(params (string Path, string Text)[] files) => new(
        [.. files.Select(file => new SourceFile(file.Path, file.Text))],
        files.ToDictionary(file => file.Path, file => (long)file.Text.Length));

    private static Repository Load(string root)
    {
        List<SourceFile> files = [];
        Dictionary<string, long> sizes = [];
        Stack<DirectoryInfo> folders = new([new DirectoryInfo(root)]);
        while (folders.TryPop(out DirectoryInfo? folder))
        {
            foreach (DirectoryInfo inner in folder.EnumerateDirectories())
            {
                if (!_notOurs.Contains(inner.Name))
                {
                    folders.Push(inner);
                }
            }

            foreach (FileInfo file in folder.EnumerateFiles())
            {
                string path = Path.GetRelativePath(root, file.FullName).Replace('\\', '/');
                sizes.Add(path, file.Length);
                if (IsText(path))
                {
                    files.Add(new SourceFile(path, File.ReadAllText(file.FullName).ReplaceLineEndings("\n")));
                }
            }
        }

        return new Repository([.. files.OrderBy(file => file.Path, StringComparer.Ordinal)], sizes);
    }

    // What the fixtures and the bundled models hold was not written here; a model's card was.
    private static bool IsText(string path) =>
        (_textKinds.Contains(Path.GetExtension(path)) || path == ".ci/run")
        && !path.StartsWith("tests/fixtures/", StringComparison.Ordinal);
}
