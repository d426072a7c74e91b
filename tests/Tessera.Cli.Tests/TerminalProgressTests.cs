using Tessera.Cli.Commands;
using Xunit;

namespace Tessera.Cli.Tests;

public sealed class TerminalProgressTests
{
    [Theory]
    [InlineData(59.4, "0:00:59")]
    [InlineData(3_600, "1:00:00")]
    [InlineData(100_000, "27:46:40")]
    [InlineData(1e300, "27777777:46:40")]
    public void HoursGoOnPastADay(double seconds, string words) => Assert.Equal(words, TerminalProgress.Time(seconds));
}
