using Xunit;

namespace Tessera.Tidy.Tests;

public sealed class ExceptionListTests
{
    private static readonly HashSet<string> _rules = ["width", "length"];

    [Fact]
    public void AsManyAsTheListSaysPass() => Assert.Empty(Judge("width a.cs 2 tables of constants", "a.cs", "a.cs"));

    [Fact]
    public void OneMoreFailsAndAllAreNamed() =>
        Assert.Equal(3, Judge("width a.cs 2 tables of constants", "a.cs", "a.cs", "a.cs").Count);

    [Fact]
    public void AnotherFileFails() => Assert.Single(Judge("width a.cs 1 tables of constants", "a.cs", "b.cs"));

    [Fact]
    public void AnotherRuleIsNoException() => Assert.Single(Judge("length a.cs 1 tables of constants", "a.cs"));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void AnExceptionThatIsNoLongerNeededFails(int left) => Assert.Contains(
        "lower or remove",
        Assert.Single(Judge("width a.cs 2 tables of constants", [.. Enumerable.Repeat("a.cs", left)])),
        StringComparison.Ordinal);

    [Theory]
    [InlineData("width a.cs 1")]
    [InlineData("width a.cs none because")]
    [InlineData("width a.cs 0 because")]
    [InlineData("breadth a.cs 1 because")]
    [InlineData("width a.cs 1 because\nwidth a.cs 2 because")]
    public void AMalformedLineFails(string text) =>
        Assert.Throws<FormatException>(() => ExceptionList.Parse(text, _rules));

    private static IReadOnlyList<string> Judge(string list, params string[] findings) =>
        ExceptionList.Parse("# comment\n\n" + list + "\n", _rules)
            .Judge("width", findings.Select(path => new Finding(path, 1, "wide")));
}
