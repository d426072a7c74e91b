using System.Text;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Tessera.Training.Runs;
using Xunit;

namespace Tessera.Training.Tests.Runs;

public sealed class MetricsFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Property(MaxTest = 50)]
    public Property ARunThatWasKilledAnywhereGoesOnWithoutALineTwice() => Prop.ForAll(
        Gen.Choose(0, 1_000_000).ToArbitrary(),
        seed =>
        {
            Random random = new(seed);
            string path = Path.Combine(_folder.Path, $"{seed}.jsonl");
            int steps = random.Next(1, 30);
            Write(path, 1, steps);
            string whole = File.ReadAllText(path);

            // Killed at any byte that is written after the checkpoint; gone on from the checkpoint.
            int checkpoint = random.Next(0, steps + 1);
            long safe = whole.Split('\n').Take(2 * checkpoint).Sum(l => Encoding.UTF8.GetByteCount(l) + 1L);
            using (FileStream file = File.OpenWrite(path))
            {
                file.SetLength(random.NextInt64(safe, file.Length + 1));
            }

            using (MetricsFile metrics = new(path))
            {
                Assert.Equal(2 * checkpoint, metrics.TruncateTo(checkpoint).Count);
            }

            Write(path, checkpoint + 1, steps);
            Assert.Equal(whole, File.ReadAllText(path));
        });

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("{\"event\":\"warning\",\"step\":1,\"message\":null}")]
    public void ALineThatIsNoEventIsTakenAway(string line)
    {
        string path = Path.Combine(_folder.Path, "metrics.jsonl");
        Write(path, 1, 2);
        File.AppendAllText(path, line + "\n");
        using MetricsFile metrics = new(path);
        Assert.Equal(4, metrics.TruncateTo(2).Count);
    }

    [Fact]
    public void AFullDiskIsSaidAndTakesNothingAway()
    {
        if (!File.Exists("/dev/full"))
        {
            Assert.Skip("this system has no /dev/full, which is always full");
        }

        using MetricsFile metrics = new("/dev/full");
        IOException e = Assert.Throws<IOException>(() => metrics.Append(new Warned { Message = "x" }));
        Assert.Contains("/dev/full: could not be written", e.Message, StringComparison.Ordinal);
    }

    private static void Write(string path, int from, int to)
    {
        using MetricsFile metrics = new(path);
        for (int step = from; step <= to; step++)
        {
            metrics.Append(new StepDone { Step = step, Loss = 1.0 / step });
            metrics.Append(new Warned { Step = step, Message = "é" });
        }
    }
}
