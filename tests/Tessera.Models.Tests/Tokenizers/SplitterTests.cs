using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Tessera.Models.Tokenizers;
using Xunit;

namespace Tessera.Models.Tests.Tokenizers;

public sealed class SplitterTests
{
    // Characters that the expressions tell apart, of one to four bytes; U+017F is an s where case is ignored.
    private static readonly string[] _pieces =
    [
        "a", "Z", "s", "S", "t", "T", "re", "VE", "ll", "Ll", "m", "d", "'", "'", "\u017F", "é", "ß", "文", "字", "ä",
        "\U00010400", "\U00020000", "1", "2", "9", "½", "Ⅷ", "٣", "\U0001D7D8", " ", " ", " ", "\t", "\n", "\n", "\r",
        "\u0085", "\u00A0", "\u2003", "\u3000", "\u2028", ".", "!", "-", "_", "<", "|", "…", "\u200B", "\u0301",
        "\u180E", "\u001C", "\0", "😀", "\U000E0041", "\uFFFD",
    ];

    [Fact]
    public void Gpt2IsItsExpression() => Compare<Gpt2Splitter>(Gpt2Splitter.Expression, seed: 1);

    [Fact]
    public void Cl100kIsItsExpression() => Compare<Cl100kSplitter>(Cl100kSplitter.Expression, seed: 2);

    // Numbers one by one first, then GPT-2's expression in the pieces between: as one expression.
    [Fact]
    public void Gpt2DigitsIsItsTwoSteps() => Compare<Gpt2DigitsSplitter>(
        @"\p{N}|\s+(?=\p{N})|" + Gpt2Splitter.Expression.Replace(@"| ?\p{N}+", "", StringComparison.Ordinal), seed: 3);

    [Fact]
    public void TheExpressionsAreTheFiles()
    {
        System.Text.Json.JsonElement patterns = TrainingFile.Read().GetProperty("patterns");
        Assert.Equal(Gpt2Splitter.Expression, patterns.GetProperty("gpt2").GetString());
        Assert.Equal(Cl100kSplitter.Expression, patterns.GetProperty("cl100k").GetString());
    }

    [Fact]
    public void EveryCodePointHasTheClassOfItsCategory()
    {
        Span<byte> bytes = stackalloc byte[4];
        for (int value = 0; value < 0x110000; value++)
        {
            if (!Rune.IsValid(value))
            {
                continue;
            }

            Rune rune = new(value);
            int length = rune.EncodeToUtf8(bytes);
            TextClass expected = Rune.IsWhiteSpace(rune) ? TextClass.Space
                : Rune.IsLetter(rune) ? TextClass.Letter
                : Rune.IsNumber(rune) ? TextClass.Number : TextClass.Other;
            Assert.Equal(expected, TextClasses.At(bytes[..length], 0, out int found));
            Assert.Equal(length, found);
            Assert.Equal(length, TextClasses.RunEnd(bytes[..length], 0, expected));
            Assert.Equal(expected, TextClasses.Of(rune));
        }
    }

    [Fact]
    public void WordsOfBytesThatAreNotUtf8AreThoseOfReplacementCharacters()
    {
        Random random = new(5);
        for (int round = 0; round < 5000; round++)
        {
            byte[] bytes = new byte[random.Next(1, 12)];
            random.NextBytes(bytes);
            string text = Encoding.UTF8.GetString(bytes);
            Assert.Equal(
                Words<Cl100kSplitter>(Encoding.UTF8.GetBytes(text)).Select(Encoding.UTF8.GetString),
                Words<Cl100kSplitter>(bytes).Select(Encoding.UTF8.GetString));
        }
    }

    [Fact]
    public void ACutChangesNoWord()
    {
        Random random = new(11);
        int cuts = 0;
        for (int round = 0; round < 3000; round++)
        {
            byte[] text = Encoding.UTF8.GetBytes(RandomText(random, 30));
            int length = random.Next(text.Length + 1);
            if (Splitters.SafeCut(text.AsSpan(0, length)) is int cut)
            {
                cuts++;
                Check<Gpt2Splitter>(text, cut);
                Check<Cl100kSplitter>(text, cut);
            }
        }

        Assert.True(cuts > 1000, $"{cuts} of 3000 texts were cut");

        static void Check<TSplitter>(byte[] text, int cut)
            where TSplitter : ISplitter =>
            Assert.Equal(Words<TSplitter>(text), [.. Words<TSplitter>(text[..cut]), .. Words<TSplitter>(text[cut..])]);
    }

    // The definition is the expression itself, run by .NET's Regex. Since that sees UTF-16 units, each character above
    // U+FFFF is replaced by one below it of the same class before; since it folds no long s, the expression names it.
    private static void Compare<TSplitter>(string expression, int seed)
        where TSplitter : ISplitter
    {
        bool ignoresCase = expression.StartsWith("(?i:", StringComparison.Ordinal);
        string longS = ignoresCase ? expression.Replace("'s", "'[s\u017F]", StringComparison.Ordinal) : expression;
        Regex regex = new(longS, RegexOptions.CultureInvariant);
        Random random = new(seed);
        for (int round = 0; round < 20_000; round++)
        {
            string text = RandomText(random, 12);
            List<int> expected = [];
            string replaced = ReplaceAstral(text);
            int position = 0;
            foreach (Match match in regex.Matches(replaced))
            {
                Assert.Equal(position, match.Index);
                position += match.Length;
                expected.Add(match.Length);
            }

            Assert.Equal(replaced.Length, position);
            List<int> actual = [.. Words<TSplitter>(Encoding.UTF8.GetBytes(text))
                .Select(word => Encoding.UTF8.GetString(word).EnumerateRunes().Count())];
            Assert.True(
                expected.SequenceEqual(actual),
                $"\"{text}\": {string.Join(',', expected)}; {string.Join(',', actual)}");
        }
    }

    private static string RandomText(Random random, int longest) => string.Concat(
        Enumerable.Range(0, random.Next(longest + 1)).Select(_ => _pieces[random.Next(_pieces.Length)]));

    private static string ReplaceAstral(string text) => string.Concat(text.EnumerateRunes().Select(rune => rune.IsBmp
        ? rune.ToString()
        : CharUnicodeInfo.GetUnicodeCategory(rune.Value) switch
        {
            <= UnicodeCategory.OtherLetter => "文",
            >= UnicodeCategory.DecimalDigitNumber and <= UnicodeCategory.OtherNumber => "½",
            _ => "…",
        }));

    private static List<byte[]> Words<TSplitter>(byte[] text)
        where TSplitter : ISplitter
    {
        List<byte[]> words = [];
        for (int start = 0; start < text.Length;)
        {
            int end = TSplitter.WordEnd(text, start);
            words.Add(text[start..end]);
            start = end;
        }

        return words;
    }
}
