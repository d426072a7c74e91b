using Tessera.Tidy.Tests.Source;

namespace Tessera.Tidy.Tests.Rules;

/// <summary>Keeps a C# file within 400 lines.</summary>
internal sealed class FileLength : IRule
{
    private const int Most = 400;

    public string Name => "file-length";

    public IEnumerable<Finding> Check(Repository repository) =>
        from file in repository.Files
        where file.IsCSharp
        let lines = file.Lines.Count - (file.Text.EndsWith('\n') ? 1 : 0)
        where lines > Most
        select new Finding(file.Path, 0, $"{lines} lines; at most {Most}: split it by what it does");

    public IEnumerable<Repository> Violations() => [Repository.Of(("src/A.cs", Of(Most + 1)))];

    public IEnumerable<Repository> NearMisses() =>
        [Repository.Of(("src/A.cs", Of(Most))), Repository.Of(("docs/A.md", Of(Most + 1)))];

    private static string Of(int lines) => string.Concat(Enumerable.Repeat("//\n", lines));
}
