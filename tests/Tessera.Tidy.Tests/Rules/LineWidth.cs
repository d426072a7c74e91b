using Tessera.Tidy.Tests.Source;

namespace Tessera.Tidy.Tests.Rules;

/// <summary>Keeps a line of code within 120 columns; a line that is one long address is left alone.</summary>
internal sealed class LineWidth : IRule
{
    private const int Most = 120;

    private static readonly HashSet<string> _kinds = [".cs", ".sh", ".mjs", ".js", ".css", ".yaml", ".yml", ""];

    public string Name => "line-width";

    public IEnumerable<Finding> Check(Repository repository) =>
        from file in repository.Files
        where _kinds.Contains(Path.GetExtension(file.Path))
        from line in file.Lines.Index()
        where line.Item.Length > Most && !line.Item.Contains("https://", StringComparison.Ordinal)
        select new Finding(file.Path, line.Index + 1, $"{line.Item.Length} columns; at most {Most}");

    public IEnumerable<Repository> Violations() =>
    [
        Repository.Of(("src/A.cs", "// " + new string('x', Most))),
        Repository.Of((".ci/run", new string('x', Most + 1))),
    ];

    public IEnumerable<Repository> NearMisses() =>
    [
        Repository.Of(("src/A.cs", new string('x', Most) + "\n")),
        Repository.Of(("src/A.cs", "// https://arxiv.org/" + new string('x', Most))),
        Repository.Of(("docs/a.md", new string('x', Most + 1))),
    ];
}
