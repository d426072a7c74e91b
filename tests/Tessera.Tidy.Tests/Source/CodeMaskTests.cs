using Xunit;

namespace Tessera.Tidy.Tests.Source;

public sealed class CodeMaskTests
{
    // Each letter c must stay and each letter x must go.
    [Theory]
    [InlineData("c // x 'x \"x\nc")]
    [InlineData("c /* x\nx */ c")]
    [InlineData("c \"x\" c")]
    [InlineData("c \"x\\\"x\\\\\" c")]
    [InlineData("c @\"x\"\"x\\\" c")]
    [InlineData("c 'x' + '\\'' + '\"' c")]
    [InlineData("c $\"x{c}x{{x}}x\" c")]
    [InlineData("c $\"x{c + \"x\" + new[] { c }}x\" c")]
    [InlineData("c $@\"x{c}\"\"x\\\" c")]
    [InlineData("c @$\"x{c}\" c")]
    [InlineData("c \"\"\"x \"x\" {x} \"\"\" c")]
    [InlineData("c $\"\"\"x {c} \"x\" \"\"\" c")]
    [InlineData("c $$\"\"\"x {x} {{c}} {{{c}}} \"\"\" c")]
    [InlineData("c \"\"\"\"x\"\"\"x\"\"\"\" c")]
    [InlineData("c \"\" c")]
    [InlineData("  #if x\nc\n#endif\nc")]
    [InlineData("c $\"{c(\"x\", 'x')}x\" c")]
    public void OnlyCodeStays(string text)
    {
        string mask = CodeMask.Of(text);
        Assert.Equal(text.Length, mask.Length);
        Assert.Equal(text.Count(c => c == 'c'), mask.Count(c => c == 'c'));
        Assert.DoesNotContain('x', mask);
        Assert.Equal(text.Count(c => c == '\n'), mask.Count(c => c == '\n'));
    }

    [Theory]
    [InlineData("\"x")]
    [InlineData("$\"{x")]
    [InlineData("/* x")]
    [InlineData("'")]
    [InlineData("\"\"\"x")]
    [InlineData("$$\"\"\"{{{{x")]
    public void WhatNeverEndsDoes(string text) => Assert.Equal(text.Length, CodeMask.Of(text).Length);
}
