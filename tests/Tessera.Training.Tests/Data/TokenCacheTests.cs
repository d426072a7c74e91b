using System.Security.Cryptography;
using System.Text;
using Tessera.Training.Data;
using Xunit;

namespace Tessera.Training.Tests.Data;

public sealed class TokenCacheTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ByteEncoder _encoder = new();

    private string CacheFolder => Path.Combine(_folder.Path, "cache");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(259)]
    [InlineData(70_000)]
    public void HoldsEveryDocumentAndWhatItStates(int vocabularySize)
    {
        string path = _folder.WriteGzip(
            "a.jsonl.gz",
            """
            {"text":"één","source":"x","licence":"MIT"}
            {"text":""}
            nonsense
            {"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Yo"}],"source":"x"}
            {"text":"three","licence":"CC0-1.0"}
            """);
        ByteEncoder encoder = new(vocabularySize);
        BadLines bad = new(5);
        using TokenFile file = Open(path, bad, encoder);
        Assert.Equal(3, file.Documents);
        Assert.Equal("één", Text(file, 0));
        Assert.Equal("three", Text(file, 2));
        Assert.Equal([false, true, false], Enumerable.Range(0, 3).Select(file.IsChat));

        List<int> ids = [];
        List<bool> replies = [];
        encoder.EncodeChat([new("user", "Hi"), new("assistant", "Yo")], ids, replies);
        int[] read = new int[file.Length(1)];
        file.Read(file.Start(1), read);
        Assert.Equal(ids, read);
        Assert.Equal(replies, Enumerable.Range(0, read.Length).Select(i => file.IsReply(file.Start(1) + i)));

        TokenFileFacts facts = file.Facts;
        Assert.Equal((1L, 1L, 1L), (facts.BadLines, facts.EmptyDocuments, facts.Conversations));
        Assert.Equal((5L + 4 + 5, 3L + 4 + 5), (facts.TextBytes, facts.Characters));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))), facts.Sha256);
        Assert.Equal([new("x", 2L)], facts.Sources);
        Assert.Equal([new("CC0-1.0", 1L), new("MIT", 1L)], facts.Licences.OrderBy(l => l.Key));
        Assert.Equal(3, Assert.Single(bad.First).Line);
    }

    [Fact]
    public void EncodesTheSameContentOnceWhereverItLies()
    {
        BadLines bad = new(10);
        OpenText("a.txt", "some text");
        OpenText("b.txt", "some text");
        Assert.Equal(1, _encoder.Calls);
        OpenText("c.txt", "other text");
        Assert.Equal(2, _encoder.Calls);
        Assert.Equal(2, Directory.GetDirectories(CacheFolder).Length);

        void OpenText(string name, string content) =>
            Open(_folder.Write(name, content), bad).Dispose();
    }

    [Fact]
    public void CountsTheBadLinesOfAFoundFileToo()
    {
        string path = _folder.Write("a.jsonl", "{\"text\":\"a\"}\n{}\n{}\n");
        Open(path, new BadLines(2)).Dispose();
        Assert.Throws<InvalidDataException>(() => Open(path, new BadLines(1)));

        // Found or read again, in whole or in parts: a line counts once.
        BadLines bad = new(2);
        foreach (DocumentSlice slice in (DocumentSlice[])[default, new(0.5, false), new(0.5, true), new(0.5, true)])
        {
            new TokenCache(CacheFolder)
                .Open(path, slice, _encoder, bad, cancellation: TestContext.Current.CancellationToken).Dispose();
        }

        Assert.Equal(2, bad.Count);
        Assert.Equal([2, 3], bad.First.Select(line => line.Line));
    }

    [Fact]
    public void TheNameOfAFolderDoesNotMakeATextLinesOfJson()
    {
        const string Content = "{\"text\":\"a\"}\n";
        using TokenFile text = Open(_folder.Write("lines.jsonl.d/a.txt", Content), new BadLines(0));
        using TokenFile lines = Open(_folder.Write("a.jsonl", Content), new BadLines(0));
        Assert.Equal((Content.Length, 1), (text.Facts.TextBytes, lines.Facts.TextBytes));
    }

    [Fact]
    public void LeavesNothingWhereTheFileIsBroken()
    {
        byte[] whole = File.ReadAllBytes(_folder.WriteGzip("a.jsonl.gz", "{\"text\":\"abc\"}\n"));
        string cut = _folder.Write("cut.jsonl.gz", whole[..^1]);
        Assert.Throws<InvalidDataException>(
            () => Open(cut, new BadLines(9)));
        Assert.Empty(Directory.GetFileSystemEntries(CacheFolder));
    }

    [Theory]
    [InlineData("facts.json", "{")]
    [InlineData("facts.json", "{}")]
    [InlineData("tokens.bin", "abc")]
    [InlineData("documents.bin", "1234567812345678")]
    public void SaysThatAChangedCacheIsDamaged(string name, string content)
    {
        string path = _folder.Write("a.txt", "some text");
        Open(path, new BadLines(0)).Dispose();
        string folder = Assert.Single(Directory.GetDirectories(CacheFolder));
        File.WriteAllText(Path.Combine(folder, name), content);
        string message = Assert.Throws<InvalidDataException>(
            () => Open(path, new BadLines(0))).Message;
        Assert.Contains(name, message, StringComparison.Ordinal);
        Assert.Contains("delete the folder", message, StringComparison.Ordinal);
    }

    [Fact]
    public void RefusesAnIdOutsideTheVocabulary()
    {
        string path = _folder.Write("a.txt", "some text");
        Open(path, new BadLines(0)).Dispose();
        string tokens = Path.Combine(Assert.Single(Directory.GetDirectories(CacheFolder)), "tokens.bin");
        byte[] bytes = File.ReadAllBytes(tokens);
        bytes[3] = 0xFF;
        File.WriteAllBytes(tokens, bytes);
        using TokenFile file = Open(path, new BadLines(0));
        Assert.Throws<InvalidDataException>(() => file.Read(0, new int[4]));
    }

    private TokenFile Open(string path, BadLines badLines, ByteEncoder? encoder = null) =>
        new TokenCache(CacheFolder).Open(
        path, DocumentSlice.All, encoder ?? _encoder, badLines, cancellation: TestContext.Current.CancellationToken);

    private static string Text(TokenFile file, int document)
    {
        int[] ids = new int[file.Length(document)];
        file.Read(file.Start(document), ids);
        return Encoding.UTF8.GetString([.. ids.Select(i => (byte)i)]);
    }
}
