using System.Text.RegularExpressions;
using Tessera.Tidy.Tests.Source;

namespace Tessera.Tidy.Tests.Rules;

/// <summary>Finds a catch that does nothing and doesn't say why.</summary>
internal sealed partial class EmptyCatch : IRule
{
    public string Name => "empty-catch";

    public IEnumerable<Finding> Check(Repository repository) =>
        from file in repository.Files
        where file.IsCSharp
        from match in Catch().Matches(file.Code)
        let body = match.Groups["body"]
        where string.IsNullOrWhiteSpace(file.Text.Substring(body.Index, body.Length))
        select new Finding(file.Path, file.LineAt(match.Index), "an empty catch: say in it why nothing needs doing");

    public IEnumerable<Repository> Violations() =>
    [
        Repository.Of(("src/A.cs", "class A { void F() { try { G(); } catch { } } }\n")),
        Repository.Of(("src/A.cs", "class A { void F() { try { G(); } catch (Exception e) when (e.X)\n{\n} } }\n")),
    ];

    public IEnumerable<Repository> NearMisses() =>
    [
        Repository.Of(("src/A.cs", "class A { void F() { try { G(); } catch (E) { /* it was gone already */ } } }\n")),
        Repository.Of(("src/A.cs", "class A { void F() { try { G(); } catch { H(); } } }\n")),
    ];

    [GeneratedRegex(@"\bcatch\b[^{};]*\{(?<body>\s*)\}")]
    private static partial Regex Catch();
}
