using Tessera.Tensors.Files;
using Xunit;

namespace Tessera.Tensors.Tests.Files;

public sealed class HostileTextTests
{
    [Theory]
    [InlineData("plain", "\"plain\"")]
    [InlineData("a\"b\\", "\"a\\\"b\\\\\"")]
    [InlineData("\u001b[31m\n\0", "\"\\u001b[31m\\u000a\\u0000\"")]
    [InlineData("a\u202Eb\u2028\u200B😀", "\"a\\u202eb\\u2028\\u200b\\ud83d\\ude00\"")]
    public void TextFromOutsideIsShownHarmlessly(string text, string shown) =>
        Assert.Equal(shown, HostileText.Quote(text));

    [Fact]
    public void LongTextFromOutsideIsCut() => Assert.Equal(82, HostileText.Quote(new string('x', 1 << 20)).Length - 1);
}
