using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Tessera.Training.Data;
using Xunit;

namespace Tessera.Training.Tests.Data;

public sealed class BatchReaderTests : IDisposable
{
    private const int EndOfText = 256;
    private readonly TemporaryFolder _folder = new();
    private readonly List<TokenFile> _files = [];

    public void Dispose()
    {
        _files.ForEach(f => f.Dispose());
        _folder.Dispose();
    }

    [Property(MaxTest = 60)]
    public Property GoesOnFromAnyPositionWithTheSameBatches() => Prop.ForAll(
        Gen.Choose(0, 1_000_000).ToArbitrary(),
        seed =>
        {
            Random random = new(seed);
            Mixture mixture = RandomMixture(random);
            BatchOptions options = RandomOptions(random);
            BatchReader whole = new(mixture, options);
            int stop = random.Next(0, 30);
            for (int i = 0; i < stop; i++)
            {
                _ = Next(whole);
            }

            string saved = JsonSerializer.Serialize(whole.Position);
            BatchReader resumed = new(mixture, options, JsonSerializer.Deserialize<DataPosition>(saved));
            for (int i = 0; i < 10; i++)
            {
                Assert.Equal(Next(whole), Next(resumed));
            }

            Assert.Equal(JsonSerializer.Serialize(whole.Position), JsonSerializer.Serialize(resumed.Position));
        });

    [Property(MaxTest = 60)]
    public Property EveryBatchIsFullAndItsSegmentsFitASequence() => Prop.ForAll(
        Gen.Choose(0, 1_000_000).ToArbitrary(),
        seed =>
        {
            Random random = new(seed);
            BatchOptions options = RandomOptions(random);
            BatchReader reader = new(RandomMixture(random), options);
            Batch batch = reader.NewBatch();
            for (int i = 0; i < 10; i++)
            {
                reader.Next(batch);
                Assert.Equal(options.Rows, batch.Rows);
                Assert.Equal(options.Rows, batch.SegmentLengths.ToArray().Sum());
                Assert.All(batch.SegmentLengths.ToArray(), length => Assert.InRange(length, 1, options.Length));
                Assert.Equal(batch.Labels.ToArray().Count(l => l != Batch.Masked), batch.Predictions);
                Assert.Equal(batch.Labels.ToArray().Select(l => l == Batch.Masked ? 0f : 1f), batch.Weights.ToArray());
            }
        });

    [Fact]
    public void SeparateGivesEachPieceOfADocumentASegment()
    {
        // Documents of 10, 3 and 4 rows; sequences of 4 rows, batches of 8.
        Mixture mixture = Mixture.OfAll([Texts("abcdefghi", "xy", "123")]);
        BatchOptions options = new() { Sequences = 2, Length = 4, Seed = 1, EndOfText = EndOfText };
        BatchReader reader = new(mixture, options);
        List<string> segments = [.. Enumerable.Range(0, 6).SelectMany(_ => Next(reader).Segments)];

        // The order is the reader's own; where it is cut follows from it.
        string stream = string.Concat(segments.Select(s => s.Split('>')[0]));
        List<string> expected = [];
        for (int at = 0, free = 8; at < stream.Length; free = free == 0 ? 8 : free)
        {
            int end = stream.IndexOf('$', at + 1) is var next && next < 0 ? stream.Length : next;
            int rows = Math.Min(Math.Min(4, free), end - at);
            string following = at + rows < stream.Length ? stream[at + rows].ToString() : "?";
            expected.Add($"{stream[at..(at + rows)]}>{stream[(at + 1)..(at + rows)]}{following}");
            (at, free) = (at + rows, free - rows);
        }

        Assert.Equal(expected[..^1], segments[..^1]);
        Assert.Contains("$abcdefghi$", stream + "$", StringComparison.Ordinal);
        Assert.Contains("$xy$", stream + "$", StringComparison.Ordinal);
    }

    [Fact]
    public void AcrossIsOneStreamInTheShuffledOrder()
    {
        TokenFile[] files = [Texts("one", "two two", "three"), Texts("four", "5")];
        Mixture mixture = Mixture.OfAll(files);
        BatchOptions options =
            new() { Mode = DocumentMode.Across, Sequences = 2, Length = 5, Seed = 3, EndOfText = EndOfText };
        BatchReader reader = new(mixture, options);
        StringBuilder stream = new(), labels = new();
        for (int i = 0; i < 20; i++)
        {
            BatchText batch = Next(reader);
            Assert.Equal([5, 5], batch.Segments.Select(s => s.Split('>')[0].Length));
            stream.Append(string.Concat(batch.Segments.Select(s => s.Split('>')[0])));
            labels.Append(string.Concat(batch.Segments.Select(s => s.Split('>')[1])));
        }

        // Each label is the next token of the stream, also where a sequence or a document ends.
        Assert.Equal(stream.ToString()[1..], labels.ToString()[..^1]);

        // Every pass holds each document once, and no two of the first three have the same order.
        string[] documents = stream.ToString().Split('$', StringSplitOptions.RemoveEmptyEntries);
        string[][] passes = [.. documents.Chunk(5).Take(3)];
        string[] all = ["5", "four", "one", "three", "two two"];
        Assert.All(passes, pass => Assert.Equal(all, pass.Order(StringComparer.Ordinal)));
        Assert.NotEqual(passes[0], passes[1]);
    }

    [Fact]
    public void WindowsBeginAnywhereInTheFilesOrder()
    {
        string text = string.Concat(Enumerable.Range(0, 40).Select(i => (char)(i < 26 ? 'a' + i : 'A' + i - 26)));
        Mixture mixture = Mixture.OfAll([Texts(text[..20]), Texts(text[20..])]);
        BatchOptions options =
            new() { Mode = DocumentMode.Windows, Sequences = 2, Length = 6, Seed = 3, EndOfText = EndOfText };
        BatchReader reader = new(mixture, options);
        string stream = "$" + text[..20] + "$" + text[20..] + "$";
        HashSet<int> begins = [];
        for (int i = 0; i < 500; i++)
        {
            foreach (string segment in Next(reader).Segments)
            {
                string[] sides = segment.Split('>');
                int at = stream.IndexOf(sides[0], StringComparison.Ordinal);
                Assert.True(at >= 0, segment);
                Assert.Equal(stream.Substring(at + 1, 6), sides[1]);
                begins.Add(at);
            }
        }

        // 42 rows hold 37 windows; a thousand draws miss one of them once in ten thousand million.
        Assert.Equal(37, begins.Count);
    }

    [Fact]
    public void AConversationIsLearnedOnlyWhereTheAssistantSpeaks()
    {
        string line =
            Chat(("user", "Hi"), ("assistant", "Yo!"), ("user", "So"), ("assistant", "No"));
        TokenFile file = Open("chat.jsonl", line);
        BatchOptions options = new() { Sequences = 1, Length = 80, Seed = 1, EndOfText = EndOfText };
        BatchText learned = Next(new BatchReader(Mixture.OfAll([file]), options));
        Assert.Equal("Yo!]No]", string.Concat(learned.Segments[0].Split('>')[1].Where(c => c != '_')));
        Assert.StartsWith("[user", learned.Segments[0], StringComparison.Ordinal);

        // The next conversation doesn't fit into the batch: what remains is padding that nothing is learned of.
        Assert.Equal(2, learned.Segments.Count);
        Assert.Equal("", learned.Segments[1].Split('>')[0].Replace("$", "", StringComparison.Ordinal));
        Assert.Equal("", learned.Segments[1].Split('>')[1].Replace("_", "", StringComparison.Ordinal));

        BatchText all = Next(new BatchReader(Mixture.OfAll([file], repliesOnly: false), options));
        Assert.Equal(all.Segments[0].Split('>')[0][1..], all.Segments[0].Split('>')[1][..^1]);
    }

    [Fact]
    public void ALongConversationIsCutAndCounted()
    {
        TokenFile file =
            Open("chat.jsonl", Chat(("user", "Hi"), ("assistant", "A long answer")));
        BatchOptions options = new() { Sequences = 1, Length = 25, Seed = 1, EndOfText = EndOfText };
        BatchReader reader = new(Mixture.OfAll([file]), options);
        BatchText batch = Next(reader);
        Assert.Equal("[user\nHi]\n[assistant\nA lo", batch.Segments[0].Split('>')[0]);
        Assert.Equal(1, reader.CutConversations);
    }

    [Fact]
    public void SharesOfTheRowsFollowTheWeights()
    {
        TokenFile[] files = [.. Enumerable.Range(0, 3).Select(s => Texts(
            [.. Enumerable.Range(0, 40).Select(i => new string((char)('a' + s), 5 + (i * (s + 1))))]))];
        double[] weights = [1, 2, 5];
        Mixture mixture = Mixture.Of(
            [.. files.Select((f, i) => new MixtureSource(new DocumentPool($"s{i}", [f]), weights[i]))], 100_000);
        BatchOptions options =
            new() { Mode = DocumentMode.Across, Sequences = 10, Length = 100, Seed = 3, EndOfText = EndOfText };
        BatchReader reader = new(mixture, options);
        Batch batch = reader.NewBatch();
        long[] counts = new long[3];
        for (int i = 0; i < 100; i++)
        {
            reader.Next(batch);
            foreach (int token in batch.Tokens)
            {
                if (token != EndOfText)
                {
                    counts[token - 'a']++;
                }
            }
        }

        // 100,000 rows; a share is off by at most one document of each source, 125 rows, and the ends of documents.
        double sum = counts.Sum();
        Assert.All(counts.Select((c, i) => (c / sum) - (weights[i] / 8)), d => Assert.InRange(d, -0.02, 0.02));
    }

    [Fact]
    public void ASourceStopsAtItsCapAndTheOthersTakeOver()
    {
        MixtureSource[] sources =
        [
            new(new DocumentPool("small", [Texts(new string('a', 99))]), 1, Passes: 2),
            new(new DocumentPool("capped", [Texts(new string('b', 999))]), 6, Cap: 0.3),
            new(new DocumentPool("rest", [Texts(new string('c', 999))]), 1),
        ];
        Assert.Equal([0.02, 0.3, 0.68], Mixture.Of(sources, 10_000).Shares.Select(s => Math.Round(s, 12)));
        InvalidDataException e = Assert.Throws<InvalidDataException>(() => Mixture.Of(sources[..2], 10_000));
        Assert.Contains("small at most 2.0", e.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => Mixture.Of([sources[0], sources[2] with { Weight = null }], 10_000));
    }

    [Fact]
    public void SaysThatTheDataOrTheSeedHasChanged()
    {
        Mixture mixture = Mixture.OfAll([Texts("one", "two")]);
        BatchOptions options = new() { Sequences = 1, Length = 3, Seed = 3, EndOfText = EndOfText };
        BatchReader reader = new(mixture, options);
        Next(reader);
        DataPosition position = reader.Position;
        Assert.Throws<InvalidDataException>(() => new BatchReader(mixture, options with { Seed = 4 }, position));
        Assert.Throws<InvalidDataException>(() => new BatchReader(
            mixture, options, position with { Sources = [new SourcePosition(0, 3, 0)] }));
        Assert.Throws<InvalidDataException>(() => new BatchReader(
            mixture, options, position with { Unfinished = new DocumentPosition(0, 2, 0) }));
    }

    [Fact]
    public void SaysThatThereIsNothingToLearn()
    {
        InvalidDataException e = Assert.Throws<InvalidDataException>(() => Mixture.OfAll([Texts()]));
        Assert.Contains("no document", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheTokenizersSampleIsTheBeginningOfTheOrder()
    {
        string[] texts = [.. Enumerable.Range(0, 50).Select(i => $"document {i}.")];
        string path = _folder.Write("sample.jsonl", string.Concat(texts.Select(t => $"{{\"text\":\"{t}\"}}\n")));
        BatchOptions options =
            new() { Mode = DocumentMode.Across, Sequences = 1, Length = 400, Seed = 9, EndOfText = EndOfText };
        BatchText batch = Next(new BatchReader(Mixture.OfAll([Texts(texts)]), options));
        string[] read = batch.Segments[0].Split('>')[0].Split('$', StringSplitOptions.RemoveEmptyEntries);
        IReadOnlyList<byte[]> sample = TextSample.First(
            [[new SliceOfFile(path, DocumentSlice.All)]], [], seed: 9, documents: 20, 1 << 20, new BadLines(0),
            TestContext.Current.CancellationToken);
        Assert.Equal(read.Take(20), sample.Select(Encoding.UTF8.GetString));
    }

    private static BatchText Next(BatchReader reader)
    {
        Batch batch = reader.NewBatch();
        reader.Next(batch);
        List<string> segments = [];
        int row = 0;
        foreach (int length in batch.SegmentLengths)
        {
            segments.Add(Show(batch.Tokens.Slice(row, length)) + ">" + Show(batch.Labels.Slice(row, length)));
            row += length;
        }

        return new BatchText(segments);
    }

    private static string Show(ReadOnlySpan<int> ids) => string.Concat(ids.ToArray().Select(i => i switch
    {
        EndOfText => '$',
        ByteEncoder.Start => '[',
        ByteEncoder.End => ']',
        Batch.Masked => '_',
        _ => (char)i,
    }));

    private static BatchOptions RandomOptions(Random random) => new()
    {
        Mode = (DocumentMode)random.Next(3),
        Sequences = random.Next(1, 5),
        Length = random.Next(2, 60),
        Seed = random.Next(),
        EndOfText = EndOfText,
    };

    private Mixture RandomMixture(Random random)
    {
        TokenFile[] files = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => RandomFile(random))];
        return random.Next(2) == 0
            ? Mixture.OfAll(files)
            : Mixture.Of([.. files.Select((f, i) => new MixtureSource(Pool($"{i}", f), random.Next(1, 10)))], 1000);
    }

    private static DocumentPool Pool(string name, TokenFile file) => new(name, [file]);

    private TokenFile RandomFile(Random random)
    {
        int documents = random.Next(2, 20);
        return random.Next(4) == 0
            ? Open("c.jsonl", string.Concat(Enumerable.Range(0, documents).Select(i =>
                Chat(("user", $"Q{i}"), ("assistant", new string('z', random.Next(50)))) + "\n")))
            : Texts([.. Enumerable.Range(0, documents).Select(i => new string((char)('a' + i), random.Next(1, 200)))]);
    }

    private static string Chat(params (string Role, string Content)[] turns) => JsonSerializer.Serialize(
        new { messages = turns.Select(t => new { role = t.Role, content = t.Content }) });

    private TokenFile Texts(params string[] texts) =>
        Open("t.jsonl", string.Concat(texts.Select(t => JsonSerializer.Serialize(new { text = t }) + "\n")));

    private TokenFile Open(string name, string content)
    {
        string path = _folder.Write(name, content);
        TokenFile file = new TokenCache(Path.Combine(_folder.Path, "cache"))
            .Open(path, default, new ByteEncoder(), new BadLines(0), null, TestContext.Current.CancellationToken);
        _files.Add(file);
        return file;
    }

    /// <summary>
    /// A batch as text: for each segment its tokens, &gt; and its labels; $ ends a text, _ is masked.
    /// </summary>
    private sealed record BatchText(IReadOnlyList<string> Segments)
    {
        public bool Equals(BatchText? other) => other is not null && Segments.SequenceEqual(other.Segments);

        public override int GetHashCode() => Segments.Count;
    }
}
