using Tessera.Inference.Sampling;
using Tessera.Inference.Tests.Fakes;
using Xunit;

namespace Tessera.Inference.Tests;

public sealed class EngineTests
{
    private const int Context = 64;

    private static FakeTokenizer Tokenizer { get; } = new("Hello", " wor", "ld", "é漢😀");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AnswersStreamAndEndAtAStopToken()
    {
        int word = FakeTokenizer.FirstWord;
        using Engine engine = Scripted([word, word + 1, word + 2, FakeTokenizer.End, word]);
        Generation generation = engine.Generate(Ask() with { StopTokens = [FakeTokenizer.End] });
        Assert.Equal("Hello world", (await generation.ReadToEndAsync(Cancelled)).Text);
        Assert.Equal(FinishReason.Stop, generation.FinishReason);
        Assert.Equal((2, 3), (generation.PromptTokens, generation.CompletionTokens));
    }

    [Fact]
    public async Task AnswersEndAtTheirLengthAndAtTheContext()
    {
        using Engine engine = new(new FakeModel(Tokenizer.VocabularySize, Context, FakeModel.Chaos), Tokenizer, new());
        Generation limited = engine.Generate(Ask() with { MaxTokens = 5 });
        await limited.ReadToEndAsync(Cancelled);
        Assert.Equal((FinishReason.Length, 5), (limited.FinishReason, limited.CompletionTokens));

        Generation unlimited = engine.Generate(Ask());
        await unlimited.ReadToEndAsync(Cancelled);
        Assert.Equal((FinishReason.Length, Context - 2), (unlimited.FinishReason, unlimited.CompletionTokens));
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(3, 7, 2)]
    [InlineData(8, 64, 5)]
    [InlineData(8, 5, 64)]
    public void AnswersDoNotDependOnNeighboursSlicesOrBlocks(int concurrent, int chunk, int blockPositions)
    {
        GenerationRequest[] requests = [.. Enumerable.Range(0, 9).Select(i => new GenerationRequest
        {
            Prompt = [.. Enumerable.Range(1, 1 + (i * 5 % 23)).Select(token => token * (i + 1) % 200)],
            Sampling = new() { Seed = (ulong)i, RepetitionPenalty = 1.2, TopK = 30 },
            MaxTokens = 5 + (i * 7 % 20),
        })];
        string[] alone = [.. requests.Select(request => Run(new(), 16, [request]).Single())];
        EngineOptions options = new()
        {
            MaxConcurrent = concurrent,
            PrefillChunk = chunk,
            CachePositions = 100,
        };
        Assert.Equal(alone, Run(options, blockPositions, requests));
    }

    [Fact]
    public void EveryAnswerGetsATokenInEachStepAndPromptsComeInSlices()
    {
        FakeModel model = new(Tokenizer.VocabularySize, Context, FakeModel.Chaos);
        using Engine engine = new(model, Tokenizer, new() { PrefillChunk = 10 }, ownThread: false);
        engine.Generate(Ask() with { MaxTokens = 20 });
        engine.Step();
        Generation second = engine.Generate(Ask() with { Prompt = [.. Enumerable.Range(1, 25)], MaxTokens = 20 });
        engine.Step();
        engine.Step();
        engine.Step();
        engine.Step();
        Assert.Equal([2, 11, 11, 6, 2], model.Rows);
        Assert.Equal(2, second.CompletionTokens);
    }

    [Fact]
    public void CancellingStopsBeforeTheNextTokenAndFreesTheCache()
    {
        FakeModel model = new(Tokenizer.VocabularySize, Context, FakeModel.Chaos);
        EngineOptions options = new() { CachePositions = Context, MaxConcurrent = 2 };
        using Engine engine = new(model, Tokenizer, options, ownThread: false);
        Generation first = engine.Generate(Ask()), second = engine.Generate(Ask());
        engine.Step();
        Assert.Equal((1, 0), (first.CompletionTokens, second.CompletionTokens));
        first.Dispose();
        engine.Step();
        Assert.Equal((1, 1), (first.CompletionTokens, second.CompletionTokens));
        second.Dispose();
        Assert.False(engine.Step());
    }

    [Fact]
    public async Task CancellingTheReaderEndsTheGeneration()
    {
        using Engine engine = new(new FakeModel(Tokenizer.VocabularySize, 1 << 20, Endless), Tokenizer, new());
        using CancellationTokenSource source = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        Generation generation = engine.Generate(Ask());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (GenerationPiece piece in generation.ReadAsync(source.Token))
            {
                await source.CancelAsync();
            }
        });
        Assert.True(generation.IsCancelled);

        // The engine is free again for the next one.
        Assert.NotEmpty((await engine.Generate(Ask() with { MaxTokens = 3 }).ReadToEndAsync(Cancelled)).Text);
    }

    [Fact]
    public void ReadingMayBlock()
    {
        int word = FakeTokenizer.FirstWord;
        using Engine engine = Scripted([word, word + 1, word + 2, FakeTokenizer.End]);
        Generation generation = engine.Generate(Ask() with { StopTokens = [FakeTokenizer.End] });
        Assert.Equal("Hello world", string.Concat(generation.Read(Cancelled).Select(piece => piece.Text)));
        Assert.Equal(FinishReason.Stop, generation.FinishReason);

        // Leaving the loop ends the work.
        using Engine other = new(new FakeModel(Tokenizer.VocabularySize, 1 << 20, Endless), Tokenizer, new());
        Generation left = other.Generate(Ask());
        Assert.NotEmpty(left.Read(Cancelled).First().Text);
        Assert.True(left.IsCancelled);
    }

    [Fact]
    public async Task DisposingFromElsewhereEndsTheReader()
    {
        using Engine engine = new(new FakeModel(Tokenizer.VocabularySize, 1 << 20, Endless), Tokenizer, new());
        Generation generation = engine.Generate(Ask());
        Task<GenerationPiece> reading = generation.ReadToEndAsync(Cancelled);
        generation.Dispose();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }

    [Fact]
    public async Task DisposingTheEngineFailsWhatIsLeft()
    {
        Engine engine = new(new FakeModel(Tokenizer.VocabularySize, 1 << 20, Endless), Tokenizer, new());
        Task<GenerationPiece> reading = engine.Generate(Ask()).ReadToEndAsync(Cancelled);
        engine.Dispose();
        await Assert.ThrowsAsync<InvalidOperationException>(() => reading);
        Assert.Throws<ObjectDisposedException>(() => engine.Generate(Ask()));
    }

    [Fact]
    public async Task LogitsThatCannotBeDrawnFailOneAnswerOnly()
    {
        using Engine engine = new(
            new FakeModel(Tokenizer.VocabularySize, Context, (history, logits) =>
            {
                FakeModel.Chaos(history, logits);
                if (history[0] == 9)
                {
                    logits.Fill(float.NaN);
                }
            }),
            Tokenizer,
            new());
        Generation good = engine.Generate(Ask() with { MaxTokens = 9 });
        Generation bad = engine.Generate(Ask() with { Prompt = [9] });
        InvalidOperationException error = await Assert.ThrowsAsync<InvalidOperationException>(
            () => bad.ReadToEndAsync(Cancelled));
        Assert.Contains("NaN", error.Message);
        await good.ReadToEndAsync(Cancelled);
        Assert.Equal(FinishReason.Length, good.FinishReason);
    }

    [Fact]
    public async Task AFailingModelFailsItsStepAndNotTheEngine()
    {
        using Engine engine = new(
            new FakeModel(Tokenizer.VocabularySize, Context, (history, logits) =>
            {
                FakeModel.Chaos(history, logits);
                if (history[0] == 9)
                {
                    throw new InsufficientMemoryException("no memory for this step");
                }
            }),
            Tokenizer,
            new());
        InvalidOperationException error = await Assert.ThrowsAsync<InvalidOperationException>(
            () => engine.Generate(Ask() with { Prompt = [9] }).ReadToEndAsync(Cancelled));
        Assert.Contains("no memory for this step", error.Message);
        Assert.NotEmpty((await engine.Generate(Ask() with { MaxTokens = 3 }).ReadToEndAsync(Cancelled)).Text);
    }

    [Fact]
    public void WrongPromptsAreRefusedAtOnce()
    {
        using Engine engine = Scripted([1]);
        ContextLengthException error = Assert.Throws<ContextLengthException>(
            () => engine.Generate(Ask() with { Prompt = new int[Context] }));
        Assert.Equal((Context, Context), (error.PromptTokens, error.ContextLength));
        Assert.Throws<ArgumentException>(() => engine.Generate(Ask() with { Prompt = [] }));
        Assert.Throws<ArgumentException>(() => engine.Generate(Ask() with { Prompt = [-1] }));
        Assert.Throws<ArgumentException>(() => engine.Generate(Ask() with { Prompt = [Tokenizer.VocabularySize] }));
        Assert.Throws<ArgumentException>(() => Ask() with { MaxTokens = 0 });
        Assert.Throws<ArgumentException>(() => Ask() with { StopStrings = ["a", ""] });
        Assert.Throws<ArgumentException>(() => Ask() with { StopStrings = ["\ude00"] });
        Assert.Throws<ArgumentException>(() => Ask() with { TopLogProbabilities = -1 });
    }

    [Fact]
    public void AFullQueueRefuses()
    {
        FakeModel model = new(Tokenizer.VocabularySize, Context, FakeModel.Chaos);
        using Engine engine = new(model, Tokenizer, new() { MaxConcurrent = 1, MaxWaiting = 1 }, ownThread: false);
        Generation first = engine.Generate(Ask());
        engine.Step();
        engine.Generate(Ask());
        Assert.Throws<EngineBusyException>(() => engine.Generate(Ask()));
        first.Dispose();
        engine.Step();
        engine.Generate(Ask());
    }

    [Fact]
    public void DecodingAllocatesNothing()
    {
        FakeModel model = new(Tokenizer.VocabularySize, 400, FakeModel.Chaos);
        using Engine engine = new(model, Tokenizer, new(), ownThread: false);
        foreach (ulong seed in new ulong[] { 1, 2, 3 })
        {
            engine.Generate(Ask() with
            {
                Sampling = new() { Seed = seed, TopK = 40, TopP = 0.9, FrequencyPenalty = 0.1 },
                StopStrings = ["<|never|>"],
            });
        }

        Step(100);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Step(100);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Step(int count)
        {
            for (int i = 0; i < count; i++)
            {
                Assert.True(engine.Step());
            }
        }
    }

    private static void Endless(ReadOnlySpan<int> history, Span<float> logits)
    {
        logits.Clear();
        logits['a'] = 50;
    }

    private static GenerationRequest Ask() => new() { Prompt = [1, 2], Sampling = SamplingOptions.Greedy };

    private static Engine Scripted(int[] answer) =>
        new(new FakeModel(Tokenizer.VocabularySize, Context, FakeModel.Script(2, answer)), Tokenizer, new());

    private static string[] Run(EngineOptions options, int blockPositions, GenerationRequest[] requests)
    {
        FakeModel model = new(Tokenizer.VocabularySize, Context, FakeModel.Chaos, blockPositions);
        using Engine engine = new(model, Tokenizer, options, ownThread: false);
        Generation[] generations = [.. requests.Select(engine.Generate)];
        while (engine.Step())
        {
        }

        // Everything has come, so that reading doesn't wait.
        return [.. generations.Select(generation => generation.ReadToEndAsync(Cancelled).Result.Text)];
    }
}
