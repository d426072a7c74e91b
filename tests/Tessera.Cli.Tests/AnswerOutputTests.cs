using Xunit;

namespace Tessera.Cli.Tests;

public sealed class AnswerOutputTests
{
    [Theory]
    [InlineData("plain 漢字 😀\tand\nlines", "plain 漢字 😀\tand\nlines")]
    [InlineData("\u001b]0;title\u0007", "\ufffd]0;title\ufffd")]
    [InlineData("a\rb\u009b31m\u007f", "a\ufffdb\ufffd31m\ufffd")]
    public void ControlCharactersAreReplaced(string text, string expected) =>
        Assert.Equal(expected, AnswerOutput.Harmless(text));
}
