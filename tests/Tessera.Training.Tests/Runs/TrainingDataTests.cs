using System.Text;
using Tessera.Models.Tokenizers;
using Tessera.Training.Data;
using Tessera.Training.Recipes;
using Tessera.Training.Runs;
using Xunit;

namespace Tessera.Training.Tests.Runs;

public sealed class TrainingDataTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ARecipeBecomesATokenizerBatchesAndHeldOutText()
    {
        _folder.Write("stories/a.jsonl", Lines(60, "story", "the cat sat on the mat number "));
        _folder.WriteGzip("stories/b.jsonl.gz", Lines(40, "story", "a dog ran to the house number "));
        _folder.Write("held.txt", "the cat ran to the mat");
        Recipe recipe = Read("""
            tokenizer: {vocabulary: 290}
            data: {sources: stories, hold_out: 0.1}
            evaluation: {held_out: held.txt}
            training: {passes: 2, batch: 2, sequence: 32}
            """);
        TokenizerEncoder encoder = new(MakeTokenizer(recipe));
        using TrainingData data = Open(recipe, encoder);
        Assert.Equal(290, encoder.VocabularySize);
        Assert.Equal(54 + 36, data.Mixture.Pools.Sum(p => p.Documents));
        Assert.Equal(["held out", "held"], data.HeldOut.Select(h => h.Name));
        Assert.Equal(10, data.HeldOut[0].Files.Sum(f => f.Documents));
        Assert.Equal((long)Math.Ceiling(2.0 * data.Mixture.Rows / 64), data.Steps);
        Assert.Equal(new Dictionary<string, long> { ["MIT"] = 90 }, data.Manifest.Licences);

        BatchReader reader = data.Read(recipe, recipe.Stages[0], encoder);
        Batch batch = reader.NewBatch();
        reader.Next(batch);
        Assert.Equal(64, batch.Rows);
        Assert.Contains("number", encoder.Tokenizer.Decode(batch.Tokens), StringComparison.Ordinal);
    }

    [Fact]
    public void EachStageReadsItsSourcesInAnotherOrder()
    {
        _folder.Write("a.jsonl", Lines(200, "s", "text "));
        Recipe recipe = Read("""
            tokenizer: {vocabulary: 259}
            data: {sources: a.jsonl, documents: across}
            training: {steps: 3, batch: 1, sequence: 64}
            stages: [{name: one}, {name: two}]
            """);
        TokenizerEncoder encoder = new(MakeTokenizer(recipe));
        string[] first = [.. recipe.Stages.Select(stage =>
        {
            using TrainingData data = TrainingData.Open(
                recipe, stage, encoder, new BadLines(0), null, TestContext.Current.CancellationToken);
            BatchReader reader = data.Read(recipe, stage, encoder);
            Batch batch = reader.NewBatch();
            reader.Next(batch);
            return encoder.Tokenizer.Decode(batch.Tokens);
        })];
        Assert.NotEqual(first[0], first[1]);
    }

    [Fact]
    public void CharactersAreThoseOfTheWholeTextTheHeldOutEndToo()
    {
        _folder.Write("play.txt", string.Concat(Enumerable.Repeat("abc\n", 100)) + "Zz");
        Recipe recipe = Read("""
            tokenizer: {kind: characters, control_tokens: ["<|endoftext|>"]}
            data: {sources: play.txt, hold_out: 0.1, documents: windows}
            training: {steps: 3, batch: 2, sequence: 8}
            """);
        ByteLevelBpe tokenizer = MakeTokenizer(recipe);
        Assert.Equal(7, tokenizer.VocabularySize);
        TokenizerEncoder encoder = new(tokenizer);
        using TrainingData data = Open(recipe, encoder);

        // 402 characters: the first nine tenths are 361.
        Assert.Equal(361, data.Manifest.Tokens);
        Assert.Equal(41, data.HeldOut[0].Files[0].Tokens);
        Assert.EndsWith("Zz", Text(data.HeldOut[0].Files[0], tokenizer), StringComparison.Ordinal);
    }

    [Fact]
    public void SourcesWithDifferentLossesAreMixedBySizeWithoutWeights()
    {
        _folder.Write("a.jsonl", Lines(10, "s", "text "));
        _folder.Write("c.jsonl", """{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"r"}]}""");
        Recipe recipe = Read("""
            tokenizer: {vocabulary: 259}
            data: {sources: [{path: a.jsonl, loss: all}, c.jsonl]}
            training: {steps: 3, batch: 1, sequence: 64}
            """);
        TokenizerEncoder encoder = new(MakeTokenizer(recipe));
        using TrainingData data = Open(recipe, encoder);
        Assert.Equal([false, true], data.Mixture.Pools.Select(p => p.RepliesOnly));
        Assert.Equal(1, data.Mixture.Shares.Sum(), 1e-12);
    }

    [Theory]
    [InlineData("sources: nothing.txt", "nothing.txt: no file is there")]
    [InlineData("sources: empty.txt", "empty.txt, so that no tokenizer")]
    [InlineData("sources: bad.jsonl, bad_lines: 1", "2 bad lines, and data.bad_lines allows 1")]
    [InlineData("sources: cut.jsonl.gz", "cut.jsonl.gz: broken gzip")]
    public void SaysWhatIsWrongWithTheData(string data, string message)
    {
        _folder.Write("empty.txt", "");
        _folder.Write("bad.jsonl", "{}\n{}\n");
        string whole = _folder.WriteGzip("whole.jsonl.gz", Lines(10, "s", "text "));
        _folder.Write("cut.jsonl.gz", File.ReadAllBytes(whole)[..^9]);
        Recipe recipe = Read($"data: {{{data}}}\ntraining: {{steps: 1}}\ntokenizer: {{vocabulary: 259}}");
        Exception e = Assert.ThrowsAny<Exception>(
            () => MakeTokenizer(recipe, recipe.Data.BadLines));
        Assert.True(e is InvalidDataException or IOException, e.GetType().Name);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ABadLineIsSkippedOnceHoweverOftenItsFileIsRead()
    {
        _folder.Write("bad.jsonl", "{}\n" + Lines(10, "s", "text "));
        Recipe recipe = Read("""
            tokenizer: {vocabulary: 259}
            data: {sources: [bad.jsonl, {path: bad.jsonl, only: source=s}], hold_out: 0.3, bad_lines: 1}
            training: {steps: 1}
            """);
        TokenizerEncoder encoder = new(MakeTokenizer(recipe, recipe.Data.BadLines));
        BadLines badLines = new(recipe.Data.BadLines);
        for (int reading = 0; reading < 2; reading++)
        {
            using TrainingData data = TrainingData.Open(
                recipe, recipe.Stages[0], encoder, badLines, null, TestContext.Current.CancellationToken);
            Assert.Equal(1, badLines.Count);
        }
    }

    [Theory]
    [InlineData("vocabulary: 259")]
    [InlineData("kind: characters")]
    public void StopsWhileATokenizerIsTrained(string tokenizer)
    {
        _folder.Write("a.jsonl", Lines(10, "s", "text "));
        Recipe recipe = Read($"data: {{sources: a.jsonl}}\ntraining: {{steps: 1}}\ntokenizer: {{{tokenizer}}}");
        Assert.Throws<OperationCanceledException>(
            () => TokenizerMaker.Make(recipe, new BadLines(0), new CancellationToken(canceled: true)));
    }

    [Fact]
    public void ATokenizerThatIsThereIsTakenAsItIs()
    {
        _folder.Write("a.txt", "text");
        ByteLevelBpe made = BpeTrainer.TrainBytes([Encoding.UTF8.GetBytes("text")], "<|endoftext|>");
        made.Save(Path.Combine(_folder.Path, "tokenizer.json"));
        foreach (string path in (string[])[".", "tokenizer.json"])
        {
            Recipe recipe = Read($"tokenizer: {{path: {path}}}\ndata: {{sources: a.txt}}\ntraining: {{steps: 1}}");
            Assert.Equal(made.ToJson(), MakeTokenizer(recipe).ToJson());
        }
    }

    [Fact]
    public void ACharacterThatTheTokenizerLacksIsNamedWithItsFile()
    {
        string path = _folder.Write("a.txt", "text with q");
        ByteLevelBpe made = BpeTrainer.TrainBytes([Encoding.UTF8.GetBytes("text wih")], "<|endoftext|>");
        InvalidDataException e = Assert.Throws<InvalidDataException>(() => new TokenCache(_folder.Path).Open(
            path, default, new TokenizerEncoder(made), new BadLines(0), null, TestContext.Current.CancellationToken));
        Assert.Contains($"{path}:1: ", e.Message, StringComparison.Ordinal);
    }

    private static string Text(TokenFile file, ByteLevelBpe tokenizer)
    {
        int[] ids = new int[file.Tokens];
        file.Read(0, ids);
        return tokenizer.Decode(ids);
    }

    private static string Lines(int count, string source, string text) => string.Concat(Enumerable.Range(0, count)
        .Select(i => $"{{\"text\":\"{text}{i}\",\"source\":\"{source}\",\"licence\":\"MIT\"}}\n"));

    private static TrainingData Open(Recipe recipe, TokenizerEncoder encoder) => TrainingData.Open(
        recipe, recipe.Stages[0], encoder, new BadLines(0), null, TestContext.Current.CancellationToken);

    private static ByteLevelBpe MakeTokenizer(Recipe recipe, long badLines = 0) =>
        TokenizerMaker.Make(recipe, new BadLines(badLines), TestContext.Current.CancellationToken);

    private Recipe Read(string text) => RecipeReader.Read(
        text, "r", _folder.Path, [$"data.cache={Path.Combine(_folder.Path, "cache")}"]);
}
