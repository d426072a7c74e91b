using System.Globalization;
using System.Text;
using System.Text.Json;
using Tessera.Models.Tokenizers;
using Xunit;

namespace Tessera.Models.Tests.Tokenizers;

public sealed class BpeTrainerTests
{
    [Fact]
    public void AWordOfAHundredMegabytesIsNotQuadratic()
    {
        byte[] word = new byte[100_000_000];
        Array.Fill(word, (byte)'x');
        WordTable table = new();
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        table.CountWords<Gpt2Splitter>(word);

        // Looking for its end behind each cut was not done after a minute of processor time.
        Assert.InRange(System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 30);
        long bytes = 0;
        table.ForEach((piece, count) => bytes += piece.Length * count);
        Assert.Equal(word.Length, bytes);
    }

    [Fact]
    public void MergesCountsAndTokensAreTheFiles()
    {
        JsonElement file = TrainingFile.Read();
        foreach (JsonElement set in file.GetProperty("sets").EnumerateArray())
        {
            string[] tokens = TrainingFile.Strings(set.GetProperty("tokens"));
            BpeTraining training = new BpeTrainer(new BpeTrainerSettings
            {
                VocabularySize = tokens.Length,
                Splitting = TrainingFile.SplittingOf(set),
            }).Train([TrainingFile.Corpus()]);

            JsonElement.ArrayEnumerator merges = set.GetProperty("merges").EnumerateArray();
            Assert.Equal(
                merges.Select(pair => (pair[0].GetString()!, pair[1].GetString()!)), training.Tokenizer.Merges);
            JsonElement.ArrayEnumerator counts = set.GetProperty("counts").EnumerateArray();
            Assert.Equal(counts.Select(count => count.GetInt64()), training.MergeCounts);
            Assert.Equal(tokens, Enumerable.Range(0, tokens.Length).Select(training.Tokenizer.IdToToken));
            Assert.Equal(tokens.Length, training.Tokenizer.VocabularySize);
            Assert.Equal(Encoding.UTF8.GetByteCount(TrainingFile.Corpus()), training.Bytes);
        }
    }

    [Fact]
    public void EncodingsOfEachSizeAreTheFiles()
    {
        JsonElement file = TrainingFile.Read();
        string[] probes = TrainingFile.Probes(file);
        int compared = 0;
        foreach (JsonElement set in file.GetProperty("sets").EnumerateArray())
        {
            foreach (JsonProperty size in set.GetProperty("encodings").EnumerateObject())
            {
                ByteLevelBpe tokenizer = TrainingFile.Train(set, int.Parse(size.Name, CultureInfo.InvariantCulture));
                for (int i = 0; i < probes.Length; i++)
                {
                    Assert.Equal(TrainingFile.Numbers(size.Value[i]), tokenizer.Encode(probes[i]));
                    Assert.Equal(probes[i], tokenizer.Decode(tokenizer.Encode(probes[i])));
                    compared++;
                }

                int expected = set.GetProperty("corpus_tokens").GetProperty(size.Name).GetInt32();
                Assert.Equal(expected, tokenizer.Encode(TrainingFile.Corpus()).Length);
            }
        }

        Assert.True(compared > 0);
    }

    [Fact]
    public void SpecialTokensHaveTheFirstIds()
    {
        foreach (JsonElement set in TrainingFile.Read().GetProperty("sets").EnumerateArray())
        {
            JsonElement expected = set.GetProperty("with_specials");
            string[] specials = TrainingFile.Strings(expected.GetProperty("special_tokens"));
            int size = expected.GetProperty("vocab_size").GetInt32();
            ByteLevelBpe tokenizer = TrainingFile.Train(set, size, specials);

            string[] first = TrainingFile.Strings(expected.GetProperty("first_ids"));
            string[] last = TrainingFile.Strings(expected.GetProperty("last_ids"));
            Assert.Equal(first, Enumerable.Range(0, first.Length).Select(tokenizer.IdToToken));
            Assert.Equal(last, Enumerable.Range(size - last.Length, last.Length).Select(tokenizer.IdToToken));
            Assert.Equal(expected.GetProperty("merges").GetInt32(), tokenizer.Merges.Count);
            Assert.Equal(specials, tokenizer.SpecialTokens.Select(token => token.Text));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void ThreadsAndDocumentOrderDoNotMatter(int threads)
    {
        string corpus = TrainingFile.Corpus();
        // Several pieces of a megabyte, so that each thread has some.
        string[] lines = [.. corpus.Split('\n')];
        int repetitions = 1 + ((6 << 20) / corpus.Length);
        string[] documents = [.. Enumerable.Range(0, repetitions).SelectMany(i => lines.Select(line => line + i))];
        ByteLevelBpe one = Train(documents, 1);
        ByteLevelBpe other = Train([.. documents.Reverse()], threads);
        Assert.Equal(one.ToJson(), other.ToJson());

        static ByteLevelBpe Train(string[] documents, int threads) => new BpeTrainer(
            new BpeTrainerSettings { VocabularySize = 700, Threads = threads }).Train(documents).Tokenizer;
    }

    [Fact]
    public void ALongDocumentIsCutWithoutChangingWords()
    {
        // Four megabytes are cut into pieces for the threads; each repetition must count as the first does.
        string corpus = TrainingFile.Corpus();
        int repetitions = (4 << 20) / corpus.Length;
        BpeTrainerSettings settings = new() { VocabularySize = 600, Threads = 2 };
        string[] lines = [.. Enumerable.Repeat(corpus + "\n", repetitions)];
        BpeTraining whole = new BpeTrainer(settings).Train([string.Concat(lines)]);
        BpeTraining apart = new BpeTrainer(settings).Train(lines);
        Assert.Equal(apart.Tokenizer.Merges, whole.Tokenizer.Merges);
        Assert.Equal(apart.Bytes, whole.Bytes);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void OverTheMemoryLimitTheRarestWordsAreForgotten(int threads)
    {
        // Words that come once, in more memory than the limit, among words that come often.
        Random random = new(7);
        List<string> documents = [];
        for (int i = 0; i < 40_000; i++)
        {
            documents.Add($"common words come often {random.NextInt64():x}");
        }

        BpeTraining limited = Train(documents, threads, BpeTrainerSettings.LeastMemoryLimit);
        BpeTraining again = Train(documents, 1, BpeTrainerSettings.LeastMemoryLimit);
        BpeTraining free = Train(documents, threads, 1L << 30);
        Assert.True(limited.ForgottenWords > 0);
        Assert.True(limited.DistinctWords < free.DistinctWords);
        Assert.Equal(0, free.ForgottenWords);
        Assert.Equal(again.Tokenizer.ToJson(), limited.Tokenizer.ToJson());
        Assert.Equal(again.ForgottenOccurrences, limited.ForgottenOccurrences);
        Assert.NotNull(limited.Tokenizer.TokenToId("Ġcommon") ?? limited.Tokenizer.TokenToId("common"));

        static BpeTraining Train(List<string> documents, int threads, long limit) => new BpeTrainer(
            new BpeTrainerSettings { VocabularySize = 400, Threads = threads, MemoryLimit = limit }).Train(documents);
    }

    [Fact]
    public void BytesThatOccurMakeATokenizer()
    {
        const string text = "To be, or not to be\n";
        ByteLevelBpe tokenizer = BpeTrainer.TrainBytes([Encoding.UTF8.GetBytes(text)], "<|end|>");
        Assert.Equal(1 + text.Distinct().Count(), tokenizer.VocabularySize);
        Assert.Equal(text.Length, tokenizer.Encode(text).Length);
        Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));

        ByteLevelBpe loaded = ByteLevelBpe.Read("saved", Encoding.UTF8.GetBytes(tokenizer.ToJson()));
        Assert.Equal(tokenizer.Encode(text), loaded.Encode(text));
        UnencodableTextException unknown = Assert.Throws<UnencodableTextException>(() => tokenizer.Encode("be é"));
        Assert.Contains("0xC3", unknown.Message, StringComparison.Ordinal);
    }

    // Counts against a dictionary, through growing, adding up and forgetting; words of every length up to three slots'.
    [Fact]
    public void ATableOfWordsCountsAsADictionary()
    {
        Random random = new(11);
        Dictionary<string, long> expected = [];
        WordTable[] tables = [new(), new(), new()];
        for (int i = 0; i < 60_000; i++)
        {
            string word = new('a', random.Next(0, 48));
            word += random.Next(20_000).ToString(CultureInfo.InvariantCulture);
            expected[word] = expected.GetValueOrDefault(word) + 1;
            tables[random.Next(3)].AddWord(Encoding.UTF8.GetBytes(word), 1);
        }

        tables[0].Add(tables[1]);
        tables[0].Add(tables[2]);
        Assert.Equal(expected, Words(tables[0]));

        // What is kept costs at most what was asked for, all else is rarer, and nothing is lost from the sums.
        long most = tables[0].Bytes / 3;
        (long words, long occurrences) = tables[0].Prune(most, WordTable.BytesOf);
        Dictionary<string, long> kept = Words(tables[0]);
        Assert.NotEmpty(kept);
        Assert.InRange(tables[0].Bytes, 1, most);
        Assert.Equal(expected.Count - kept.Count, words);
        Assert.Equal(expected.Values.Sum() - kept.Values.Sum(), occurrences);
        long rarest = kept.Values.Min();
        Assert.Equal(expected.Where(pair => pair.Value >= rarest).Count(), kept.Count);
        Assert.All(kept, pair => Assert.Equal(expected[pair.Key], pair.Value));

        static Dictionary<string, long> Words(WordTable table)
        {
            Dictionary<string, long> words = [];
            table.ForEach((word, count) => words.Add(Encoding.UTF8.GetString(word), count));
            return words;
        }
    }

    [Fact]
    public void NoPairLeftEndsTheTraining()
    {
        BpeTraining training = new BpeTrainer(new BpeTrainerSettings { VocabularySize = 1000 }).Train(["abab"]);
        Assert.Equal([("a", "b"), ("ab", "ab")], training.Tokenizer.Merges);
        Assert.Equal([2L, 1L], training.MergeCounts);
    }

    [Fact]
    public void AControlTokenIsNeverMerged()
    {
        BpeTrainerSettings settings = new() { VocabularySize = 270, SpecialTokens = ["stop"] };
        string[] documents = [.. Enumerable.Repeat("stop stopped stopping", 50)];
        ByteLevelBpe tokenizer = new BpeTrainer(settings).Train(documents).Tokenizer;
        Assert.DoesNotContain(0, tokenizer.Encode("stop"));
        Assert.Equal([0], tokenizer.EncodeWithSpecials("stop"));
    }

    [Fact]
    public void SettingsThatCannotBeMetAreErrors()
    {
        Refused(new BpeTrainerSettings { VocabularySize = 255 });
        Refused(new BpeTrainerSettings { VocabularySize = 256, SpecialTokens = ["<s>"] });
        Refused(new BpeTrainerSettings { VocabularySize = 300, Splitting = Splitting.None });
        Refused(new BpeTrainerSettings { VocabularySize = 300, SpecialTokens = ["a"] });
        Refused(new BpeTrainerSettings { VocabularySize = 300, SpecialTokens = ["<\uD800>"] });

        static void Refused(BpeTrainerSettings settings) =>
            Assert.Throws<ArgumentException>(() => new BpeTrainer(settings));
    }
}
