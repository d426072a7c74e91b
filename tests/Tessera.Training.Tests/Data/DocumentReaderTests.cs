using System.Text;
using Tessera.Training.Data;
using Xunit;

namespace Tessera.Training.Tests.Data;

public sealed class DocumentReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ReadsTextsAndConversationsWithWhatTheyStateOfThemselves()
    {
        string path = _folder.WriteGzip(
            "a.jsonl.gz",
            """
            {"text":"One \"day\" é 你好 \ud83d\ude00","source":"book","licence":"MIT","title":{"a":[1]}}

            {"messages":[{"role":"user","content":"Hi","n":0},{"content":"Yo","role":"assistant"}],"licence":"CC0"}
            """);
        List<(string, string, string?, string?, long)> read = [.. Read(path).Select(d => (
            Encoding.UTF8.GetString(d.Text.Span),
            string.Join("|", d.Turns.Select(t => $"{t.Role}:{t.Content}")),
            d.Source,
            d.Licence,
            d.Line))];
        Assert.Equal(
            [("One \"day\" é 你好 😀", "", "book", "MIT", 1L), ("", "user:Hi|assistant:Yo", null, "CC0", 3L)], read);
    }

    [Theory]
    [InlineData("{\"text\":\"a\"", "invalid JSON")]
    [InlineData("{\"text\":\"a\"} x", "invalid JSON")]
    [InlineData("[1]", "not a JSON object")]
    [InlineData("{\"txt\":\"a\"}", "no field \"text\"")]
    [InlineData("{\"text\":7}", "not a string")]
    [InlineData("{\"text\":\"a\\u0000b\"}", "NUL")]
    [InlineData("{\"text\":\"\\ud800\"}", "surrogate")]
    [InlineData("{\"messages\":[]}", "empty")]
    [InlineData("{\"messages\":{}}", "not a list")]
    [InlineData("{\"messages\":[{\"role\":\"user\"}]}", "\"content\"")]
    [InlineData("{\"messages\":[{\"role\":\"robot\",\"content\":\"\"}]}", "robot")]
    public void SkipsABadLineAndSaysWhereItIs(string line, string reason)
    {
        string path = _folder.Write("a.jsonl", $"{{\"text\":\"first\"}}\n{line}\n{{\"text\":\"last\"}}");
        BadLines bad = new(1);
        Assert.Equal(["first", "last"], Texts(path, bad));
        BadLine only = Assert.Single(bad.First);
        Assert.Equal((path, 2), (only.File, only.Line));
        Assert.Contains(reason, only.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new[] { "task=b" }, "2 4")]
    [InlineData(new[] { "task=a", "task=b" }, "1 2 4")]
    [InlineData(new[] { "task=a", "task=b", "language=en" }, "1 4")]
    [InlineData(new[] { "task=" }, "")]
    [InlineData(new[] { "missing=b" }, "")]
    public void TakesOnlyWhatAFilterAsksFor(string[] only, string wanted)
    {
        string path = _folder.Write(
            "a.jsonl",
            """
            {"task":"a","text":"1","language":"en"}
            {"text":"2","task":"b","language":"zh"}
            {"text":"3","task":7}
            {"language":"en","task":"b","text":"4"}
            {"text":"5"}
            """);
        BadLines bad = new(0);
        Assert.Equal(wanted, string.Join(' ', Texts(path, bad, new DocumentSlice(0, false, DocumentFilter.Of(only)))));
    }

    [Fact]
    public void AFilterNeedsFieldsAndAnEquals()
    {
        string path = _folder.Write("a.txt", "text");
        InvalidDataException file = Assert.Throws<InvalidDataException>(
            () => Texts(path, slice: new DocumentSlice(0, false, DocumentFilter.Of(["task=a"]))));
        Assert.Contains("task=a", file.Message, StringComparison.Ordinal);
        ArgumentException form = Assert.Throws<ArgumentException>(() => DocumentFilter.Of(["task"]));
        Assert.Contains("field=value", form.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void StopsPastTheLimitWithTheFirstLines()
    {
        string path = _folder.Write("a.jsonl", "{}\n{}\n{}\n");
        InvalidDataException e = Assert.Throws<InvalidDataException>(() => Texts(path, new BadLines(2)));
        Assert.Contains("3 bad lines, and data.bad_lines allows 2", e.Message, StringComparison.Ordinal);
        Assert.Contains($"{path}:1", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SkipsInvalidUtf8AndNulInEveryKind()
    {
        byte[] invalid = [.. "good one\n"u8, 0xC3, 0x28, .. "\nwith \0 in it\ngood two\n"u8];
        BadLines bad = new(10);
        Assert.Equal(["good one\ngood two\n"], Texts(_folder.Write("a.txt", invalid), bad));
        Assert.Equal([2L, 3L], bad.First.Select(b => b.Line));

        byte[] json = [.. "{\"text\":\"a"u8, 0xFF, .. "\"}\n{\"text\":\"b\"}"u8];
        Assert.Equal(["b"], Texts(_folder.Write("a.jsonl", json), bad));
        Assert.Equal("invalid UTF-8", bad.First[2].Reason);
    }

    [Fact]
    public void RefusesUtf16AndTakesAUtf8MarkAway()
    {
        string wide = _folder.Write("a.txt", [.. Encoding.Unicode.Preamble, .. Encoding.Unicode.GetBytes("text")]);
        InvalidDataException e = Assert.Throws<InvalidDataException>(() => Texts(wide));
        Assert.Contains("UTF-16", e.Message, StringComparison.Ordinal);
        byte[] marked = [.. Encoding.UTF8.Preamble, .. "text\r\nmore"u8];
        Assert.Equal(["text\nmore"], Texts(_folder.Write("b.txt", marked)));
    }

    [Theory]
    [InlineData("a.txt")]
    [InlineData("a.jsonl")]
    [InlineData("a.jsonl.gz")]
    public void AnEmptyFileHasNoDocument(string name) => Assert.Empty(Texts(_folder.Write(name, "")));

    [Fact]
    public void NoticesAGzipThatIsCutOffAnywhere()
    {
        string content = string.Concat(Enumerable.Range(0, 300).Select(i => $"{{\"text\":\"{i * i}\"}}\n"));
        string whole = _folder.WriteGzip("a.jsonl.gz", content);
        Assert.Equal(300, Texts(whole).Count);
        byte[] bytes = File.ReadAllBytes(whole);
        for (int length = 1; length < bytes.Length; length++)
        {
            string cut = _folder.Write("cut.jsonl.gz", bytes[..length]);
            string message = Assert.Throws<InvalidDataException>(() => Texts(cut, new BadLines(1000))).Message;
            Assert.Contains("cut.jsonl.gz: broken gzip", message, StringComparison.Ordinal);
        }

        string followed = _folder.Write("more.jsonl.gz", [.. bytes, .. "not gzip"u8]);
        Assert.Throws<InvalidDataException>(() => Texts(followed));
        string twice = _folder.Write("twice.jsonl.gz", [.. bytes, .. bytes]);
        Assert.Equal(600, Texts(twice).Count);
    }

    [Fact]
    public void ReadsALongTextInPartsThatJoinToTheWhole()
    {
        // Mebibytes of one line without a place to cut, then lines with places.
        string text = string.Concat(Enumerable.Repeat("無空格的長行。", 700_000)) + "\n"
            + string.Concat(Enumerable.Range(0, 300_000).Select(i => $"Line {i} of it.\n"));
        string path = _folder.Write("long.txt", text);
        StringBuilder joined = new();
        int parts = 0;
        bool ended = false;
        foreach (Document part in Read(path))
        {
            Assert.False(ended);
            Assert.True(part.Text.Length <= 10 << 20);
            joined.Append(Encoding.UTF8.GetString(part.Text.Span));
            ended = !part.Continues;
            parts++;
        }

        Assert.True(ended);
        Assert.True(parts > 3);
        Assert.True(text == joined.ToString());
    }

    [Fact]
    public void ALineOfAHundredMegabytesIsTextButNoJson()
    {
        byte[] line = new byte[100 << 20];
        line.AsSpan().Fill((byte)'a');
        string text = _folder.Write("a.txt", line);
        Assert.Equal(line.Length, Read(text).Sum(d => (long)d.Text.Length));

        BadLines bad = new(1);
        string json = _folder.Write("a.jsonl", [.. "{\"text\":\""u8, .. line, .. "\"}\n{\"text\":\"after\"}"u8]);
        Assert.Equal(["after"], Texts(json, bad));
        Assert.Contains("longer than", bad.First[0].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void HoldsOutTheEndOfAText()
    {
        string text = string.Concat(Enumerable.Range(0, 200_000).Select(i => $"é{i} "));
        string path = _folder.Write("a.txt", text);
        string kept = string.Concat(Texts(path, slice: new DocumentSlice(0.1, false)));
        string held = string.Concat(Texts(path, slice: new DocumentSlice(0.1, true)));
        Assert.Equal(text, kept + held);

        // Within the bytes of one character of the tenth.
        int bytes = Encoding.UTF8.GetByteCount(text);
        Assert.InRange(Encoding.UTF8.GetByteCount(kept), (int)(bytes * 0.9), (int)(bytes * 0.9) + 2);
    }

    [Fact]
    public void HoldsOutTheLastDocuments()
    {
        string path =
            _folder.Write("a.jsonl", string.Concat(Enumerable.Range(0, 25).Select(i => $"{{\"text\":\"{i}\"}}\n")));
        Assert.Equal(22, Texts(path, slice: new DocumentSlice(0.1, false)).Count);
        Assert.Equal(["22", "23", "24"], Texts(path, slice: new DocumentSlice(0.1, true)));
    }

    private static IEnumerable<Document> Read(string path) =>
        DocumentReader.Read(path, DocumentSlice.All, new BadLines(0));

    private static List<string> Texts(string path, BadLines? bad = null, DocumentSlice slice = default) =>
        [.. DocumentReader.Read(path, slice, bad ?? new BadLines(0)).Select(d => Encoding.UTF8.GetString(d.Text.Span))];
}
