using System.Diagnostics;
using System.Text;
using Tessera.Training.Data;
using Tessera.Training.Recipes;
using Xunit;

namespace Tessera.Training.Tests.Data;

/// <summary>
/// Changes good files at random for a bounded number of times: an error or a result, never anything else.
/// </summary>
public sealed class HostileDataTests : IDisposable
{
    private const int Tries = 400;

    // One document is at most some kilobytes here; reading it takes a buffer or two of a mebibyte.
    private const long MostBytes = 64 << 20;
    private readonly TemporaryFolder _folder = new();
    private readonly Stopwatch _watch = Stopwatch.StartNew();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("a.jsonl")]
    [InlineData("a.jsonl.gz")]
    [InlineData("a.txt")]
    public void DataThatWasChangedGivesDocumentsOrAnError(string name)
    {
        string good = string.Concat(Enumerable.Range(0, 20).Select(i => i % 3 == 0
            ? """{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"r"}]}""" + "\n"
            : $"{{\"text\":\"héllo \\u00e9 {i}\",\"source\":\"s\"}}\n"));
        string path =
            name.EndsWith(".gz", StringComparison.Ordinal) ? _folder.WriteGzip(name, good) : _folder.Write(name, good);
        byte[] bytes = File.ReadAllBytes(path);
        Random random = new(7);
        for (int i = 0; i < Tries; i++)
        {
            File.WriteAllBytes(path, Change(bytes, random));
            Bounded(() =>
            {
                BadLines bad = new(random.Next(20));
                long total = 0;
                foreach (Document document in DocumentReader.Read(path, default, bad))
                {
                    Assert.DoesNotContain((byte)0, document.Text.ToArray());
                    total += document.Text.Length;
                }

                Assert.True(total <= 1 << 20);
            });
        }
    }

    [Fact]
    public void ARecipeThatWasChangedIsReadOrAnError()
    {
        byte[] good = Encoding.UTF8.GetBytes("""
            name: small
            model: {layers: 2, width: 64, heads: 4}
            data:
              sources: [a.txt, {path: "b/*.jsonl", weight: 1}]
            training: &t
              steps: 10
            stages:
              - name: one
                training: *t
            """);
        Random random = new(7);
        for (int i = 0; i < Tries; i++)
        {
            string text = Encoding.UTF8.GetString(Change(good, random));
            Bounded(() => RecipeReader.Read(text, "r", "/x"));
        }
    }

    [Fact]
    public void ACacheThatWasChangedIsReadOrAnError()
    {
        IEnumerable<string> lines = Enumerable.Range(0, 30).Select(i => $"{{\"text\":\"text {i}\"}}\n");
        string path = _folder.Write("a.jsonl", string.Concat(lines));
        TokenCache cache = new(Path.Combine(_folder.Path, "cache"));
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        cache.Open(path, default, new ByteEncoder(), new BadLines(0), null, cancellation).Dispose();
        string folder = Assert.Single(Directory.GetDirectories(Path.Combine(_folder.Path, "cache")));
        Random random = new(7);
        foreach (string file in Directory.GetFiles(folder))
        {
            byte[] bytes = File.ReadAllBytes(file);
            for (int i = 0; i < Tries / 3; i++)
            {
                File.WriteAllBytes(file, Change(bytes, random));
                Bounded(() => ReadAll(folder));
            }

            File.WriteAllBytes(file, bytes);
        }
    }

    private static void ReadAll(string folder)
    {
        using TokenFile file = TokenFile.Open(folder);
        BatchOptions options = new() { Sequences = 2, Length = 16, Seed = 1, EndOfText = 256 };
        BatchReader reader = new(Mixture.OfAll([file]), options);
        Batch batch = reader.NewBatch();
        for (int i = 0; i < 20; i++)
        {
            reader.Next(batch);
            Assert.All(batch.Tokens.ToArray(), id => Assert.InRange(id, 0, file.Facts.VocabularySize));
        }
    }

    private void Bounded(Action work)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            work();
        }
        catch (Exception e) when (e is InvalidDataException or IOException or RecipeException)
        {
            Assert.NotEqual("", e.Message);
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MostBytes);

        // A second for each try, as bad input may take, over all tries: one alone may wait for a busy machine.
        Assert.InRange(_watch.Elapsed.TotalSeconds, 0, Tries);
    }

    private static byte[] Change(byte[] bytes, Random random)
    {
        List<byte> changed = [.. bytes];
        for (int n = random.Next(1, 6); n > 0 && changed.Count > 1; n--)
        {
            int at = random.Next(changed.Count);
            switch (random.Next(5))
            {
                case 0:
                    changed[at] = (byte)random.Next(256);
                    break;
                case 1:
                    changed.RemoveRange(at, random.Next(1, changed.Count - at + 1));
                    break;
                case 2:
                    changed.Insert(at, "{}[]\":,\\\n\0&*-#"u8[random.Next(14)]);
                    break;
                case 3:
                    changed.InsertRange(at, changed.GetRange(at, Math.Min(40, changed.Count - at)));
                    break;
                default:
                    changed[at] ^= (byte)(1 << random.Next(8));
                    break;
            }
        }

        return [.. changed];
    }
}
