using System.Diagnostics;
using System.Text;
using Tessera.Models.Tokenizers;
using Tessera.Testing;
using Xunit;

namespace Tessera.Models.Tests.Tokenizers;

public sealed class HostileTokenizerTests
{
    private const string Name = "hostile.json";

    // A file of six tokens that loads.
    private const string Good =
        """
        {"version":"1.0","truncation":null,"padding":null,
        "added_tokens":[{"id":5,"content":"<end>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,
        "special":true}],
        "normalizer":null,
        "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true},
        "post_processor":null,
        "decoder":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true},
        "model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,
        "end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":false,"ignore_merges":false,
        "vocab":{"a":0,"b":1,"c":2,"ab":3,"abc":4},"merges":[["a","b"],["ab","c"]]}}
        """;

    [Fact]
    public void TheFileThatIsSpoiltLoads()
    {
        ByteLevelBpe tokenizer = Read(Good);
        Assert.Equal([4, 3, 0], tokenizer.Encode("abcaba"));
        Assert.Equal([5, 0], tokenizer.EncodeWithSpecials("<end>a"));
        Assert.Equal([4], Read(Good.Replace("""[["a","b"],["ab","c"]]""", """["a b","ab c"]""")).Encode("abc"));
    }

    // Letters with all ids from 0 on, and a merge of two of them into a control token: no pair of letters makes it.
    [Fact]
    public void AMergeIntoAControlTokenIsNeverDone()
    {
        const string letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        string vocabulary = string.Join(',', letters.Select((letter, id) => $"\"{letter}\":{id}"));
        ByteLevelBpe tokenizer = Read(Good
            .Replace("\"a\":0,\"b\":1,\"c\":2,\"ab\":3,\"abc\":4", $"{vocabulary},\"ab\":{letters.Length}")
            .Replace("\"id\":5,\"content\":\"<end>\"", $"\"id\":{letters.Length},\"content\":\"ab\"")
            .Replace("[\"a\",\"b\"],[\"ab\",\"c\"]", "[\"a\",\"b\"]"));
        foreach (int left in Enumerable.Range(0, letters.Length))
        {
            foreach (int right in Enumerable.Range(0, letters.Length))
            {
                Assert.Equal([left, right], tokenizer.Encode($"{letters[left]}{letters[right]}"));
            }
        }
    }

    [Theory]
    [InlineData("\"version\":\"1.0\"", "\"version\":\"2.0\"", "version", "2.0")]
    [InlineData("\"version\":\"1.0\",", "\"version\":\"1.0\",\"version\":\"1.0\",", "version", "once")]
    [InlineData("\"version\":\"1.0\",", "\"surprise\":17,", "surprise", "17")]
    [InlineData("\"truncation\":null", "\"truncation\":{\"max_length\":5}", "truncation", "max_length")]
    [InlineData("\"normalizer\":null", "\"normalizer\":{\"type\":\"NFC\"}", "normalizer", "NFC")]
    [InlineData("\"id\":5", "\"id\":-1", "added_tokens[0].id", "-1")]
    [InlineData("\"id\":5", "\"id\":99999999999", "added_tokens[0].id", "99999999999")]
    [InlineData("\"id\":5", "\"id\":\"5\"", "added_tokens[0].id", "\"5\"")]
    [InlineData("\"id\":5", "\"id\":2", "added_tokens", "id 2")]
    [InlineData("\"<end>\"", "\"\"", "added_tokens[0]", "empty")]
    [InlineData("\"<end>\"", "\"a\"", "added_tokens", "\"a\"")]
    [InlineData("\"special\":true", "\"special\":1", "added_tokens[0].special", "1")]
    [InlineData("\"add_prefix_space\":false", "\"add_prefix_space\":true", "pre_tokenizer.add_prefix_space", "true")]
    [InlineData("\"pre_tokenizer\":{\"type\":\"Byte", "\"pre_tokenizer\":{\"type\":\"Bit", "pre_tokenizer", "BitLevel")]
    [InlineData("\"post_processor\":null", "\"post_processor\":{\"type\":\"Bert\"}", "post_processor", "Bert")]
    [InlineData("\"decoder\":{\"type\":\"ByteLevel\"", "\"decoder\":{\"type\":\"Fuse\"", "decoder", "Fuse")]
    [InlineData("\"type\":\"BPE\"", "\"type\":\"Unigram\"", "model.type", "Unigram")]
    [InlineData("\"dropout\":null", "\"dropout\":0.1", "model.dropout", "0.1")]
    [InlineData("\"byte_fallback\":false", "\"byte_fallback\":true", "model.byte_fallback", "true")]
    [InlineData("\"end_of_word_suffix\":null", "\"end_of_word_suffix\":\"</w>\"", "model.end_of_word_suffix", "</w>")]
    [InlineData("\"vocab\":{\"a\":0,\"b\":1,\"c\":2,\"ab\":3,\"abc\":4}", "\"vocab\":[]", "model.vocab", "[]")]
    [InlineData("[[\"a\",\"b\"],[\"ab\",\"c\"]]", "{}", "model.merges", "{}")]
    [InlineData("\"a\":0", "\"a\":-3", "model.vocab[a]", "-3")]
    [InlineData("\"a\":0", "\"a\":2000000000", "model.vocab[a]", "2000000000")]
    [InlineData("\"a\":0", "\"a\":0.5", "model.vocab[a]", "0.5")]
    [InlineData("\"a\":0", "\"a\":{}", "model.vocab[a]", "{")]
    [InlineData("\"b\":1", "\"b\":0", "model.vocab[b]", "another token")]
    [InlineData("\"b\":1", "\"a\":1", "model.vocab[a]", "twice")]
    [InlineData("[\"ab\",\"c\"]", "[\"ab\",\"x\"]", "model.merges[1]", "\"x\"")]
    [InlineData("[\"ab\",\"c\"]", "[\"b\",\"c\"]", "model.merges[1]", "\"bc\"")]
    [InlineData("[\"ab\",\"c\"]", "[\"ab\"]", "model.merges[1]", "two strings")]
    [InlineData("[\"ab\",\"c\"]", "[\"a\",\"b\",\"c\"]", "model.merges[1]", "two strings")]
    [InlineData("[\"ab\",\"c\"]", "\"abc\"", "model.merges[1]", "abc")]
    [InlineData("[\"ab\",\"c\"]", "7", "model.merges[1]", "7")]
    [InlineData("\"vocab\":{", "\"words\":{", "model.words", "known are")]
    [InlineData("\"a\":0", "\"\\ud800\":0", "model.vocab", "")]
    [InlineData("\"a\":0", "\"a\":0 1", "model", "")]
    public void AnErrorNamesFileFieldAndValue(string part, string spoilt, string field, string value)
    {
        Assert.Contains(part, Good, StringComparison.Ordinal);
        int at = Good.IndexOf(part, StringComparison.Ordinal);
        InvalidDataException error =
            Assert.Throws<InvalidDataException>(() => Read(Good[..at] + spoilt + Good[(at + part.Length)..]));
        Assert.StartsWith($"{Name}: {field}", error.Message, StringComparison.Ordinal);
        Assert.Contains(value, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AFieldThatIsAbsentIsNamed()
    {
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => Read("""{"version":"1.0"}"""));
        Assert.Equal($"{Name}: pre_tokenizer: absent, wanted a value", error.Message);
        Assert.Throws<InvalidDataException>(() => Read(""));
        Assert.Throws<InvalidDataException>(() => Read("null"));
        Assert.Throws<InvalidDataException>(() => Read("[]"));
    }

    [Fact]
    public void DeepNestingIsAnError()
    {
        string deep = new string('[', 1_000_000) + new string(']', 1_000_000);
        string nested = Good.Replace("\"normalizer\":null", $"\"normalizer\":{deep}", StringComparison.Ordinal);
        AssertBounded(Encoding.UTF8.GetBytes(nested), mustFail: true);
        AssertBounded(Encoding.UTF8.GetBytes(deep), mustFail: true);
    }

    [Fact]
    public void ATokenOfMegabytesIsRead()
    {
        string token = new('a', 4 << 20);
        ByteLevelBpe tokenizer = Read(Good.Replace("\"c\":2", $"\"{token}\":2", StringComparison.Ordinal)
            .Replace("""["ab","c"]""", """["a","b"]""", StringComparison.Ordinal));
        Assert.Equal([3], tokenizer.Encode("ab"));
    }

    [Fact]
    public void AFileOverTheBoundIsNotRead()
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory().FullName, "tokenizer.json");
        using (FileStream file = File.Create(path))
        {
            // A hole: the length is claimed, no disk is used.
            file.SetLength(1L << 30);
        }

        long start = Stopwatch.GetTimestamp();
        long before = GC.GetAllocatedBytesForCurrentThread();
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => ByteLevelBpe.Load(path));
        Assert.StartsWith($"{path}: has {1L << 30:N0} bytes", error.Message, StringComparison.Ordinal);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
        Assert.True(Stopwatch.GetElapsedTime(start).TotalSeconds < 5);
        File.Delete(path);
    }

    [Fact]
    public void MutatedFilesGiveATokenizerOrAnError()
    {
        byte[][] files =
        [
            Encoding.UTF8.GetBytes(Good),
            File.ReadAllBytes(SharedFiles.Path($"{TrainingFile.Folder}/bpe-cl100k.json")),
        ];
        Random random = new(97);
        int failures = 0;
        const int rounds = 3000;
        long start = Stopwatch.GetTimestamp();
        for (int round = 0; round < rounds && Stopwatch.GetElapsedTime(start).TotalSeconds < 20; round++)
        {
            // One large file in thirty: most fields are in the small one.
            byte[] mutated = Mutate(random, files[round % 30 == 0 ? 1 : 0]);
            failures += AssertBounded(mutated, mustFail: false) ? 0 : 1;
        }

        Assert.True(failures > 100, $"{failures} of {rounds} mutations were errors");
    }

    // Returns whether the file gave a tokenizer; anything but an InvalidDataException fails the test.
    private static bool AssertBounded(byte[] json, bool mustFail)
    {
        long start = Stopwatch.GetTimestamp();
        long before = GC.GetAllocatedBytesForCurrentThread();
        bool loaded = true;
        try
        {
            ByteLevelBpe tokenizer = ByteLevelBpe.Read(Name, json);
            tokenizer.Decode(tokenizer.EncodeWithSpecials("abc <end> ab"));
        }
        catch (InvalidDataException)
        {
            loaded = false;
        }
        catch (ArgumentException error) when (error.Message.StartsWith("Encode: ", StringComparison.Ordinal))
        {
            // The mutation took a byte's token away.
        }

        // Ids go up to 2^20, for which two arrays of 8 MiB are taken; one encoder has 2 MiB.
        long most = (24L << 20) + (200L * json.Length);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, most);

        // Milliseconds of one core; the bound leaves room on a shared machine.
        Assert.True(Stopwatch.GetElapsedTime(start).TotalSeconds < 5);
        Assert.False(mustFail && loaded);
        return loaded;
    }

    private static byte[] Mutate(Random random, byte[] file)
    {
        List<byte> bytes = [.. file];
        byte[][] pieces =
        [
            "null"u8.ToArray(), "-1"u8.ToArray(), "1e99"u8.ToArray(), "99999999999999999999"u8.ToArray(),
            "[[[[["u8.ToArray(), "{}"u8.ToArray(), "\"\\ud800\""u8.ToArray(), [0xFF], [0], "\"a\":"u8.ToArray(),
            "1048575"u8.ToArray(), "true"u8.ToArray(),
        ];
        for (int change = random.Next(1, 4); change > 0; change--)
        {
            int at = random.Next(bytes.Count);
            int length = Math.Min(random.Next(1, 12), bytes.Count - at);
            switch (random.Next(5))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes.RemoveRange(at, length);
                    break;
                case 2:
                    bytes.InsertRange(at, bytes.GetRange(at, length));
                    break;
                case 3:
                    bytes.InsertRange(at, pieces[random.Next(pieces.Length)]);
                    break;
                default:
                    ReplaceNumber(random, bytes, at, pieces[random.Next(pieces.Length)]);
                    break;
            }

            if (bytes.Count == 0)
            {
                break;
            }
        }

        return random.Next(10) == 0 ? [.. bytes.Take(random.Next(bytes.Count + 1))] : [.. bytes];
    }

    private static void ReplaceNumber(Random random, List<byte> bytes, int from, byte[] piece)
    {
        int at = bytes.FindIndex(from, value => char.IsAsciiDigit((char)value));
        if (at >= 0)
        {
            bytes.RemoveAt(at);
            bytes.InsertRange(at, random.Next(2) == 0 ? piece : Encoding.UTF8.GetBytes($"{random.Next()}"));
        }
    }

    private static ByteLevelBpe Read(string json) => ByteLevelBpe.Read(Name, Encoding.UTF8.GetBytes(json));
}
