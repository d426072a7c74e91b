using System.Text.RegularExpressions;
using Tessera.Tidy.Tests.Source;

namespace Tessera.Tidy.Tests.Rules;

/// <summary>
/// Wants every file and folder that a document links to, or names in backticks from the repository's root, to be there.
/// A name with <c>NAME</c> in it stands for any.
/// </summary>
internal sealed partial class DocumentPaths : IRule
{
    public string Name => "document-paths";

    public IEnumerable<Finding> Check(Repository repository)
    {
        HashSet<string> there = [];
        foreach (string path in repository.Sizes.Keys)
        {
            for (string? at = path; !string.IsNullOrEmpty(at); at = Path.GetDirectoryName(at)?.Replace('\\', '/'))
            {
                there.Add(at);
            }
        }

        foreach (SourceFile file in repository.Files.Where(file => file.Path.EndsWith(".md", StringComparison.Ordinal)))
        {
            string folder = Path.GetDirectoryName(file.Path) ?? "";
            IEnumerable<(int At, string Path)> named =
            [
                .. Links().Matches(file.Text).Select(m => (m.Index, Path.Combine(folder, m.Groups["to"].Value))),
                .. Names().Matches(file.Text).Select(m => (m.Index, m.Groups["to"].Value)),
            ];
            foreach ((int at, string path) in named)
            {
                string plain = Path.GetRelativePath(".", path).Replace('\\', '/').TrimEnd('/');
                if (!there.Contains(plain) && !path.Contains("NAME", StringComparison.Ordinal))
                {
                    yield return new Finding(file.Path, file.LineAt(at), $"{plain} is not there");
                }
            }
        }
    }

    public IEnumerable<Repository> Violations() =>
    [
        Repository.Of(("README.md", "See [the guide](docs/guide.md).\n")),
        Repository.Of(("docs/a.md", "See [b](../b.md).\n"), ("docs/b.md", "")),
        Repository.Of(("README.md", "![picture](docs/images/a.png)\n")),
        Repository.Of(("docs/a.md", "Look at `src/Tessera.Tensors/Gone.cs`.\n")),
        Repository.Of(("docs/a.md", "Read `GONE.md` and run `.ci/gone`.\n")),
    ];

    public IEnumerable<Repository> NearMisses() =>
    [
        Repository.Of(("README.md", "See [b](docs/b.md#part), [c](https://arxiv.org/abs/1), `docs/`.\n"), ("docs/b.md", "")),
        Repository.Of(("docs/a.md", "See [b](b.md), `docs/b.md`, `src/Tessera.X/NAME.cs`.\n"), ("docs/b.md", "")),
    ];

    [GeneratedRegex(@"\]\((?!\w+:)(?<to>[^)#\s]+)")]
    private static partial Regex Links();

    [GeneratedRegex(@"`(?<to>(?:src|tests|bench|docs|recipes|models|samples)/[\w./\-]*|\.ci/\w+|[A-Z\-]+\.md)`")]
    private static partial Regex Names();
}
