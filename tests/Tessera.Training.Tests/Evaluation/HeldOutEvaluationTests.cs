using System.Text;
using System.Text.Json;
using Tessera.Testing;
using Tessera.Training.Data;
using Tessera.Training.Evaluation;
using Tessera.Training.Tests.Data;
using Xunit;

namespace Tessera.Training.Tests.Evaluation;

public sealed class HeldOutEvaluationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<TokenFile> _files = [];

    public void Dispose()
    {
        _files.ForEach(f => f.Dispose());
        _folder.Dispose();
    }

    [Theory]
    [InlineData(3, 8)]
    [InlineData(5, 5)]
    [InlineData(100, 4096)]
    public void EveryTokenIsPredictedOnceInWindowsWithoutOverlap(int window, int rows)
    {
        string[] texts = ["abcdefghi", "x", "näh"];
        List<string> windows = [];
        HeldOutResult result = Measure(Open(texts), window, rows, (batch, losses) =>
        {
            int row = 0;
            foreach (int length in batch.SegmentLengths)
            {
                Assert.InRange(length, 1, window);
                windows.Add(Show(batch.Tokens.Slice(row, length)) + ">" + Show(batch.Labels.Slice(row, length)));
                row += length;
            }

            losses.Fill(MathF.Log(2));
        });
        List<string> expected = [];
        foreach (byte[] text in texts.Select(Encoding.UTF8.GetBytes))
        {
            int[] ids = [256, .. text.Select(b => (int)b), 256];
            for (int at = 0; at < ids.Length - 1; at += window)
            {
                int end = Math.Min(at + window, ids.Length - 1);
                expected.Add(Show(ids.AsSpan()[at..end]) + ">" + Show(ids.AsSpan()[(at + 1)..(end + 1)]));
            }
        }

        Assert.Equal(expected, windows);
        Assert.Equal((3L, 9L + 1 + 4 + 3), (result.Documents, result.Predictions));
        Assert.Equal((14L, 13L), (result.Bytes, result.Characters));

        // One bit a prediction, over the bytes of the text; float32 log 2 is off by 1e-8.
        Assert.Equal(17 / 14.0, result.BitsPerByte, 1e-7);
        Assert.Equal(2, result.Perplexity, 1e-6);
        Assert.Equal(17 * Math.Log(2) / 13, result.NatsPerCharacter, 1e-6);
    }

    [Fact]
    public void EndsWithTheWindowThatReachesTheLimit()
    {
        HeldOutSet set = Open(new string('a', 1000), "bbb");
        HeldOutResult result = Measure(set, 10, 100, (_, losses) => losses.Fill(1), byteLimit: 95);
        Assert.Equal((1L, 100L, 100L), (result.Documents, result.Predictions, result.Bytes));
        Assert.Equal(1003, Measure(set, 10, 100, (_, losses) => losses.Fill(1)).Bytes);
    }

    [Fact]
    public void OfAConversationTheRepliesCount()
    {
        string line = """{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"}]}""";
        HeldOutSet set = OpenFile(_folder.Write("c.jsonl", line));
        HeldOutResult result = Measure(set, 100, 100, (_, losses) => losses.Fill(1));
        Assert.Equal((6L, 5L), (result.Predictions, result.Bytes));
    }

    [Fact]
    public void SaysThatThereIsNothingToPredict()
    {
        HeldOutSet set = OpenFile(_folder.Write("c.jsonl", """{"messages":[{"role":"user","content":"Hi"}]}"""));
        Assert.Throws<InvalidDataException>(() => Measure(set, 100, 100, (_, losses) => losses.Fill(1)));
    }

    [Fact]
    public void AgreesWithTheReferenceOnBitsPerByte()
    {
        using JsonDocument json = JsonDocument.Parse(
            File.ReadAllBytes(SharedFiles.Path("goldens/metrics/metrics.json")));
        JsonElement expected = json.RootElement.GetProperty("perplexity");
        JsonElement[] documents = [.. expected.GetProperty("documents").EnumerateArray()];
        HeldOutResult result = new(
            "corpus",
            documents.Length,
            documents.Sum(d => d.GetProperty("tokens").GetInt64()),
            documents.Sum(d => d.GetProperty("bytes").GetInt64()),
            documents.Sum(d => d.GetProperty("text").GetString()!.EnumerateRunes().Count()),
            -documents.Sum(d => d.GetProperty("loglikelihood").GetDouble()));
        Near("bits_per_byte", result.BitsPerByte);
        Near("nats_per_token", result.Loss);
        Near("token_perplexity", result.Perplexity);

        void Near(string name, double actual)
        {
            double wanted = expected.GetProperty(name).GetDouble();
            Assert.Equal(wanted, actual, Limits.Metrics * wanted);
        }
    }

    private static HeldOutResult Measure(
        HeldOutSet set, int window, int rows, TokenLosses losses, long byteLimit = long.MaxValue)
    {
        HeldOutOptions options = new() { Window = window, Rows = rows, ByteLimit = byteLimit };
        return new HeldOutEvaluation(new ByteEncoder(), options).Measure(
            set, losses, TestContext.Current.CancellationToken);
    }

    private static string Show(ReadOnlySpan<int> ids) => string.Join(',', ids.ToArray());

    private HeldOutSet Open(params string[] texts) => OpenFile(_folder.Write(
        "t.jsonl", string.Concat(texts.Select(t => JsonSerializer.Serialize(new { text = t }) + "\n"))));

    private HeldOutSet OpenFile(string path)
    {
        TokenFile file = new TokenCache(Path.Combine(_folder.Path, "cache")).Open(
            path, default, new ByteEncoder(), new BadLines(0), null, TestContext.Current.CancellationToken);
        _files.Add(file);
        return new HeldOutSet("set", [file]);
    }
}
