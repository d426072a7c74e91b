using System.Text;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Tessera.Inference.Sampling;
using Tessera.Inference.Tests.Fakes;
using Xunit;

namespace Tessera.Inference.Tests;

/// <summary>
/// Reads scripted answers after every step: nothing of a stop string may ever be seen, nor half a character.
/// </summary>
public sealed class StopStringTests
{
    [Theory]
    [InlineData("one two|three", "two", "one ")]
    [InlineData("one t|w|o three", "two", "one ")]
    [InlineData("aab|aac|x", "aac", "aab")]
    [InlineData("aaa|b", "aab", "a")]
    [InlineData("abc", "c", "ab")]
    [InlineData("never| sto|p", "stoppp", "never stop")]
    [InlineData("x|\u6f22|\u5b57", "\u5b57", "x\u6f22")]
    [InlineData("a|\ud83d\ude00|b", "b", "a\ud83d\ude00")]
    public void TextEndsBeforeTheStop(string pieces, string stop, string expected)
    {
        string[] words = pieces.Split('|');
        Assert.Equal(expected, Stream(words, [stop]));
        Assert.Equal(expected, StreamBytes(string.Concat(words), [stop]));
    }

    [Property(MaxTest = 300)]
    public Property NothingOfAStopIsEverSeen()
    {
        // Two letters and a character of three bytes make beginnings of stops common.
        Gen<string> letters = Gen.Elements("a", "b", "漢");
        Gen<string> text = letters.ListOf(12).Select(string.Concat);
        Gen<string> stop = Gen.Choose(1, 4).SelectMany(length => letters.ListOf(length)).Select(string.Concat);
        return Prop.ForAll(text.ToArbitrary(), stop.ArrayOf(2).ToArbitrary(), (t, stops) =>
        {
            // The stop that is complete first counts; of two that end together, the longer one.
            int end = stops.Where(t.Contains).OrderBy(s => t.IndexOf(s) + s.Length).ThenBy(s => t.IndexOf(s))
                .Select(s => t.IndexOf(s)).FirstOrDefault(t.Length);
            string expected = t[..end];
            Assert.Equal(expected, StreamBytes(t, stops));
            for (int size = 1; size <= 4; size++)
            {
                Assert.Equal(expected, Stream([.. t.Chunk(size).Select(chunk => new string(chunk))], stops));
            }
        });
    }

    [Fact]
    public void HalfACharacterAtTheEndIsReplaced()
    {
        byte[] bytes = [.. Encoding.UTF8.GetBytes("né")];
        Assert.Equal("n\ufffd", Stream(new FakeTokenizer(), [.. bytes[..2].Select(value => (int)value)], [], out _));
    }

    [Fact]
    public void ControlTokensLeaveNoText() =>
        Assert.Equal("ab", Stream(new FakeTokenizer(), ['a', FakeTokenizer.End, 'b'], [], out _));

    [Fact]
    public void TokensOfAStopAreNotReported()
    {
        FakeTokenizer tokenizer = new("ab", "c<", "st", "op>", "d");
        Stream(tokenizer, [257, 258, 259, 260, 261], ["<stop>"], out int[] tokens);
        Assert.Equal([257, 258], tokens);

        Stream(tokenizer, [257, 258, 259, 261], ["<stop>"], out tokens);
        Assert.Equal([257, 258, 259, 261], tokens);
    }

    [Fact]
    public void TokensOfHalfCharactersAreReportedWithTheCharacter()
    {
        int[] bytes = [.. Encoding.UTF8.GetBytes("漢字").Select(value => (int)value)];
        Stream(new FakeTokenizer(), bytes, ["字"], out int[] tokens);
        Assert.Equal(bytes[..3], tokens);
    }

    private static string Stream(string[] words, string[] stops)
    {
        int[] answer = [.. Enumerable.Range(FakeTokenizer.FirstWord, words.Length)];
        return Stream(new FakeTokenizer(words), answer, stops, out _);
    }

    private static string StreamBytes(string text, string[] stops) => Stream(
        new FakeTokenizer(), [.. Encoding.UTF8.GetBytes(text).Select(value => (int)value)], stops, out _);

    private static string Stream(FakeTokenizer tokenizer, int[] answer, string[] stops, out int[] tokens)
    {
        FakeModel model = new(tokenizer.VocabularySize, 64, FakeModel.Script(1, answer));
        using Engine engine = new(model, tokenizer, new(), ownThread: false);
        Generation generation = engine.Generate(new()
        {
            Prompt = [0],
            Sampling = SamplingOptions.Greedy,
            MaxTokens = answer.Length,
            StopStrings = stops,
            TopLogProbabilities = 0,
        });
        StringBuilder text = new();
        List<int> reported = [];
        bool ended = false;
        while (!ended)
        {
            engine.Step();
            (GenerationPiece? piece, ended) = generation.Take();
            text.Append(piece?.Text);
            reported.AddRange((piece?.Tokens ?? []).Select(token => token.Id));
            Assert.DoesNotContain(stops, text.ToString().Contains);
        }

        tokens = [.. reported];
        return text.ToString();
    }
}
