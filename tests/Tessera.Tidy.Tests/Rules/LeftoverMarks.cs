using System.Text.RegularExpressions;
using Tessera.Tidy.Tests.Source;

namespace Tessera.Tidy.Tests.Rules;

/// <summary>Finds marks of unfinished work in code and documents.</summary>
internal sealed class LeftoverMarks : IRule
{
    // Written in halves, so that this file doesn't hold them.
    private static readonly string[] _marks =
        ["TO" + "DO", "FIX" + "ME", "HA" + "CK", "XX" + "X", "NotImplemented" + "Exception", "place" + "holder"];

    private static readonly Regex _pattern = new(
        $@"\b(?:{string.Join('|', _marks[..4])})\b|{_marks[4]}|(?i:\b{_marks[5]})", RegexOptions.CultureInvariant);

    public string Name => "leftover-marks";

    public IEnumerable<Finding> Check(Repository repository) =>
        from file in repository.Files
        from match in _pattern.Matches(file.Text)
        select new Finding(file.Path, file.LineAt(match.Index), $"{match.Value}: do it, or leave it out");

    public IEnumerable<Repository> Violations() => _marks.SelectMany(mark => new[]
    {
        Repository.Of(("src/A.cs", $"// {mark} later\n")),
        Repository.Of(("README.md", $"See {mark}: later\n")),
    });

    public IEnumerable<Repository> NearMisses() =>
        [Repository.Of(("src/A.cs", "// the shack holds a place; " + _marks[0].ToLowerInvariant() + "\n"))];
}
