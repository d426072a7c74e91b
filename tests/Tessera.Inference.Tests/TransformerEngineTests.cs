using Tessera.Inference.Sampling;
using Tessera.Models;
using Tessera.Models.Checkpoints;
using Tessera.Models.Tokenizers;
using Tessera.Tensors;
using Tessera.Testing;
using Xunit;

namespace Tessera.Inference.Tests;

/// <summary>Runs the engine on the real decoder, over the tiny models of goldens/hf-folders.</summary>
public sealed class TransformerEngineTests
{
    public static TheoryData<string> Folders()
    {
        string? root = SharedFiles.TryPath("goldens/hf-folders");
        return root is null ? ["absent"] : [.. Directory.GetDirectories(root).Select(f => Path.GetFileName(f)).Order()];
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void AnswersAreThoseOfTheWholeForwardPass(string folder)
    {
        using Checkpoint checkpoint = Checkpoint.Load(SharedFiles.Path($"goldens/hf-folders/{folder}"));
        Transformer model = checkpoint.Serve(DType.F32);
        EngineOptions options = new() { MaxConcurrent = 3, PrefillChunk = 7 };
        using Engine engine = new(new TransformerModel(model), Words(checkpoint), options, ownThread: false);
        int[][] prompts = [[5], [.. Enumerable.Range(300, 20)], [.. Enumerable.Range(40, 40)], [9, 8, 7]];
        Generation[] generations = [.. prompts.Select(prompt => engine.Generate(new()
        {
            Prompt = prompt,
            Sampling = SamplingOptions.Greedy,
            MaxTokens = 12,
            TopLogProbabilities = 0,
        }))];
        while (engine.Step())
        {
        }

        // Rows don't depend on chunks, neighbours or the cache, bit for bit, and so neither does the largest logit.
        foreach ((int[] prompt, Generation generation) in prompts.Zip(generations))
        {
            IEnumerable<int> answer = generation.Take().Piece!.Tokens.Select(token => token.Id);
            Assert.Equal(WithoutCache(model, prompt, 12), answer);
        }
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void DecodingAllocatesNothing(string folder)
    {
        using Checkpoint checkpoint = Checkpoint.Load(SharedFiles.Path($"goldens/hf-folders/{folder}"));
        ByteLevelBpe words = Words(checkpoint);
        for (int id = 0; id < words.VocabularySize; id++)
        {
            // The bytes of a token are put together when it is first seen, and kept.
            _ = words.TokenBytes(id);
        }

        // Methods that the runtime has not optimised yet may box what optimised ones don't: warm is when that is over.
        ThisThread.SleepOnce();
        long allocated = long.MaxValue;
        for (int attempt = 0; attempt < 20 && allocated != 0; attempt++)
        {
            allocated = Decode();
        }

        Assert.Equal(0, allocated);

        long Decode()
        {
            using Engine engine = new(new TransformerModel(checkpoint.Serve()), words, new(), ownThread: false);
            foreach (ulong seed in new ulong[] { 1, 2 })
            {
                SamplingOptions sampling = new() { Seed = seed, TopK = 40 };
                engine.Generate(new() { Prompt = [1, 2, 3], Sampling = sampling, MaxTokens = 200 });
            }

            Step(engine, 50);
            long before = GC.GetAllocatedBytesForCurrentThread();
            Step(engine, 100);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    private static void Step(Engine engine, int count)
    {
        for (int i = 0; i < count; i++)
        {
            Assert.True(engine.Step());
        }
    }

    private static ByteLevelBpe Words(Checkpoint checkpoint) =>
        ByteLevelBpe.Read("tokenizer.json", checkpoint.Files.TokenizerJson!.Value);

    private static int[] WithoutCache(Transformer model, int[] prompt, int length)
    {
        List<int> ids = [.. prompt];
        while (ids.Count < prompt.Length + length)
        {
            using TensorScope scope = TensorScope.Begin();
            Tensor logits = model.Logits(model.Forward([.. ids], Segments.Of(ids.Count)), [ids.Count - 1]);
            Span<float> row = logits.Span<float>();
            ids.Add(row.IndexOf(Largest(row)));
        }

        return [.. ids[prompt.Length..]];
    }

    private static float Largest(ReadOnlySpan<float> values)
    {
        float largest = float.NegativeInfinity;
        foreach (float value in values)
        {
            largest = MathF.Max(largest, value);
        }

        return largest;
    }
}
