using System.Text;
using System.Text.Json;
using Tessera.Models.Tokenizers;
using Tessera.Testing;
using Xunit;

namespace Tessera.Models.Tests.Tokenizers;

public sealed class ByteLevelBpeTests
{
    private const string Qwen3 = "goldens/hf-folders/qwen3/tokenizer.json";

    public static TheoryData<string> Files => new(
        "goldens/hf-folders/llama-tied/tokenizer.json",
        Qwen3,
        "goldens/hf-folders/qwen3-untied-sharded/tokenizer.json",
        "goldens/hf-folders/gpt2/tokenizer.json",
        $"{TrainingFile.Folder}/bpe-gpt2.json",
        $"{TrainingFile.Folder}/bpe-cl100k.json");

    [Theory]
    [MemberData(nameof(Files))]
    public void WhatIsReadIsWrittenByteForByte(string relative)
    {
        byte[] bytes = File.ReadAllBytes(SharedFiles.Path(relative));
        bool indented = bytes[1] == '\n';
        string saved = Path.Combine(Directory.CreateTempSubdirectory().FullName, "tokenizer.json");
        ByteLevelBpe.Load(SharedFiles.Path(relative)).Save(saved, indented);
        Assert.Equal(bytes, File.ReadAllBytes(saved));
        Assert.Equal([saved], Directory.GetFiles(Path.GetDirectoryName(saved)!));
    }

    [Fact]
    public void WhatIsTrainedIsWrittenByteForByte()
    {
        foreach (JsonElement set in TrainingFile.Read().GetProperty("sets").EnumerateArray())
        {
            string name = set.GetProperty("pattern").GetString()!;
            ByteLevelBpe tokenizer = TrainingFile.Train(set, set.GetProperty("tokens").GetArrayLength());
            string expected = File.ReadAllText(SharedFiles.Path($"{TrainingFile.Folder}/bpe-{name}.json"));
            Assert.Equal(expected, tokenizer.ToJson(indented: false));
        }
    }

    [Fact]
    public void LoadedFilesEncodeAsTheTrainedOnes()
    {
        JsonElement file = TrainingFile.Read();
        string[] probes = TrainingFile.Probes(file);
        foreach (JsonElement set in file.GetProperty("sets").EnumerateArray())
        {
            string name = set.GetProperty("pattern").GetString()!;
            ByteLevelBpe tokenizer = ByteLevelBpe.Load(SharedFiles.Path($"{TrainingFile.Folder}/bpe-{name}.json"));
            JsonElement expected = set.GetProperty("encodings").EnumerateObject().Last().Value;
            Assert.All(probes, (probe, i) => Assert.Equal(TrainingFile.Numbers(expected[i]), tokenizer.Encode(probe)));
        }
    }

    [Fact]
    public void UserTextNeverMakesAControlToken()
    {
        ByteLevelBpe tokenizer = ByteLevelBpe.Load(SharedFiles.Path(Qwen3));
        AddedToken end = tokenizer.SpecialTokens[^1];
        string text = $"Hello {end.Text} you";
        Assert.All(tokenizer.Encode(text), id => Assert.False(tokenizer.IsSpecial(id)));
        Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text), skipSpecials: true));

        int[] trusted = tokenizer.EncodeWithSpecials(text);
        Assert.Single(trusted, id => id == end.Id);
        Assert.Equal(text, tokenizer.Decode(trusted));
        Assert.Equal("Hello  you", tokenizer.Decode(trusted, skipSpecials: true));
    }

    [Fact]
    public void OnlyTheTemplatesMarkersBecomeControlTokens()
    {
        ByteLevelBpe tokenizer = ByteLevelBpe.Load(SharedFiles.Path(Qwen3));
        (string start, string end) = (tokenizer.SpecialTokens[0].Text, tokenizer.SpecialTokens[^1].Text);
        int[] ids = tokenizer.Encode(
        [
            new TextSpan($"{start}user\n", true),
            new TextSpan($"Hi {end}", false),
            new TextSpan(end[..4], true),
            new TextSpan(end[4..] + "\n", true),
        ]);
        Assert.Equal(2, ids.Count(tokenizer.IsSpecial));
        Assert.Equal($"{start}user\nHi {end}{end}\n", tokenizer.Decode(ids));

        // Half a marker from the template and half from the data make none.
        Assert.DoesNotContain(
            tokenizer.Encode([new TextSpan(end[..4], true), new TextSpan(end[4..], false)]), tokenizer.IsSpecial);

        // Between markers, template and data are one text, as a text that is rendered and encoded whole has it.
        Assert.Equal(
            tokenizer.EncodeWithSpecials($"{start}user\n\n\nHi"),
            tokenizer.Encode([new TextSpan($"{start}user\n", true), new TextSpan("\n\nHi", false)]));
    }

    [Fact]
    public void BytesThatAreNotUtf8ComeBack()
    {
        ByteLevelBpe tokenizer = ByteLevelBpe.Load(SharedFiles.Path($"{TrainingFile.Folder}/bpe-gpt2.json"));
        Random random = new(3);
        for (int length = 0; length < 200; length++)
        {
            byte[] bytes = new byte[length];
            random.NextBytes(bytes);
            List<int> ids = [];
            tokenizer.Encode(bytes, ids);
            byte[] back = [.. ids.SelectMany(id => tokenizer.TokenBytes(id).ToArray())];
            Assert.Equal(bytes, back);
        }

        Assert.Equal(tokenizer.Encode("a\uFFFDb"), tokenizer.Encode("a\uD800b"));
    }

    [Fact]
    public void EncodingAllocatesNothingOnceWarm()
    {
        ByteLevelBpe tokenizer = ByteLevelBpe.Load(SharedFiles.Path($"{TrainingFile.Folder}/bpe-gpt2.json"));
        byte[] text = Encoding.UTF8.GetBytes(TrainingFile.Corpus());
        List<int> ids = new(text.Length);
        Encode();
        Encode();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Encode();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Encode()
        {
            ids.Clear();
            tokenizer.Encode(text, ids);
        }
    }

    [Fact]
    public void SeveralThreadsEncodeAtOnce()
    {
        ByteLevelBpe tokenizer = ByteLevelBpe.Load(SharedFiles.Path($"{TrainingFile.Folder}/bpe-gpt2.json"));
        string[] lines = TrainingFile.Corpus().Split('\n');
        int[][] expected = [.. lines.Select(tokenizer.Encode)];
        int[][] actual = new int[lines.Length][];
        Parallel.For(0, lines.Length, i => actual[i] = tokenizer.Encode(lines[i]));
        Assert.Equal(expected, actual);
    }

    [Fact]
    public void IdsWithoutATokenArePassedOver()
    {
        ByteLevelBpe tokenizer = ByteLevelBpe.Load(SharedFiles.Path(Qwen3));
        int id = tokenizer.Encode("a")[0];
        Assert.Equal("aa", tokenizer.Decode([id, -1, int.MaxValue, tokenizer.VocabularySize, id]));
        Assert.Null(tokenizer.IdToToken(tokenizer.VocabularySize));
        Assert.Null(tokenizer.TokenToId("no such token"));
    }

    [Fact]
    public void AStreamNeverShowsHalfACharacter()
    {
        foreach (JsonElement set in TrainingFile.Read().GetProperty("sets").EnumerateArray())
        {
            // With few merges, most characters above U+007F are several tokens.
            ByteLevelBpe tokenizer = TrainingFile.Train(set, 300);
            foreach (string probe in TrainingFile.Probes(TrainingFile.Read()))
            {
                StreamingDecoder decoder = tokenizer.CreateDecoder();
                StringBuilder text = new();
                foreach (int id in tokenizer.Encode(probe))
                {
                    string shown = decoder.Append(id);
                    Assert.Equal(shown.Contains('\uFFFD'), probe.Contains('\uFFFD') && shown.Contains('\uFFFD'));
                    text.Append(shown);
                    Assert.StartsWith(text.ToString(), probe, StringComparison.Ordinal);
                }

                Assert.Equal("", decoder.Flush());
                Assert.Equal(probe, text.ToString());
            }
        }
    }

    [Fact]
    public void WhatNeverBecomesWholeIsShownAtTheEnd()
    {
        ByteLevelBpe tokenizer = ByteLevelBpe.Load(SharedFiles.Path(Qwen3));
        StreamingDecoder decoder = tokenizer.CreateDecoder();
        List<int> ids = [];
        tokenizer.Encode([0xE4, 0xBD], ids);
        Assert.All(ids, id => Assert.Equal("", decoder.Append(id)));
        Assert.Equal("\uFFFD", decoder.Flush());
        Assert.Equal("", decoder.Flush());

        // A byte that can't go on what waits lets it go at once.
        Assert.Equal("", decoder.Append(ids[0]));
        string shown = ids.Count > 1 ? decoder.Append(ids[1]) : "";
        Assert.Equal("", shown);
        Assert.Equal("\uFFFDa", decoder.Append(tokenizer.Encode("a")[0]));
    }
}
