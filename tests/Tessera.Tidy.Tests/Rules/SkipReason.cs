using System.Text.RegularExpressions;
using Tessera.Tidy.Tests.Source;

namespace Tessera.Tidy.Tests.Rules;

/// <summary>Wants a reason of at least three words, in place, wherever a test is skipped.</summary>
internal sealed partial class SkipReason : IRule
{
    public string Name => "skip-reason";

    public IEnumerable<Finding> Check(Repository repository) =>
        from file in repository.Files
        where file.IsCSharp && file.Path.StartsWith("tests/", StringComparison.Ordinal)
        from match in Skip().Matches(file.Code)
        let reason = Reason().Match(file.Text, match.Index + match.Length)
        where !reason.Success
            || reason.Groups["text"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length < 3
        select new Finding(file.Path, file.LineAt(match.Index), "skips without a reason of three words or more");

    public IEnumerable<Repository> Violations() =>
    [
        Repository.Of(("tests/A.cs", "class A { [Fact(Skip = \"\")] void F() { } }\n")),
        Repository.Of(("tests/A.cs", "class A { [Fact(Skip = \"flaky\")] void F() { } }\n")),
        Repository.Of(("tests/A.cs", "class A { [Fact(Skip = Why)] void F() { } }\n")),
        Repository.Of(("tests/A.cs", "class A { void F() => Assert.Skip(\"no file\"); }\n")),
    ];

    public IEnumerable<Repository> NearMisses() =>
    [
        Repository.Of(("tests/A.cs", "class A { [Fact(Skip = \"needs a second processor\")] void F() { } }\n")),
        Repository.Of(("tests/A.cs", "class A { void F() => Assert.Skip($\"{file} is not here\"); }\n")),
    ];

    [GeneratedRegex(
        @"\bSkip\s*=\s*(?=[^=\s])|\bAssert\.Skip\(\s*|\bAssert\.Skip(?:When|Unless)\((?:[^(),]|\([^()]*\))*,\s*")]
    private static partial Regex Skip();

    [GeneratedRegex(@"\G\$?""(?<text>[^""]*)")]
    private static partial Regex Reason();
}
