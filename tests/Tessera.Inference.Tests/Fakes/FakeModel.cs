using Tessera.Tensors;

namespace Tessera.Inference.Tests.Fakes;

/// <summary>
/// Computes logits from the whole history of a sequence, which it reads back through the blocks that the engine gave
/// it, as attention would: a wrong block, position or slice changes the answer.
/// </summary>
internal sealed class FakeModel(
    int vocabularySize, int contextLength, FakeModel.Rule rule, int blockPositions = 8) : ILanguageModel
{
    private int[] _cache = [];
    private int[] _history = [];

    /// <summary>Writes the logits that follow a history.</summary>
    public delegate void Rule(ReadOnlySpan<int> history, Span<float> logits);

    public int VocabularySize => vocabularySize;

    public int ContextLength => contextLength;

    public int BlockPositions => blockPositions;

    /// <summary>
    /// Gets the number of rows of each forward pass so far, the last one last; at most 1,000 are kept.
    /// </summary>
    public List<int> Rows { get; } = new(1000);

    /// <summary>Gives a rule that answers with these tokens, whatever the prompt, which has a given length.</summary>
    public static Rule Script(int promptLength, params int[] answer) => (history, logits) =>
    {
        logits.Clear();
        logits[answer[history.Length - promptLength]] = 50;
    };

    /// <summary>Draws logits that depend on every token of the history and its place.</summary>
    public static void Chaos(ReadOnlySpan<int> history, Span<float> logits)
    {
        ulong state = 1;
        foreach (int token in history)
        {
            state = (state * 6364136223846793005) + (ulong)token + 1;
        }

        for (int i = 0; i < logits.Length; i++)
        {
            state = (state * 6364136223846793005) + 1442695040888963407;
            logits[i] = (state >> 40) * 1e-6f;
        }
    }

    public void ReserveCache(int blocks)
    {
        _cache = new int[blocks * blockPositions];
        _history = new int[contextLength];
        Array.Fill(_cache, -1);
    }

    public Tensor Forward(ReadOnlySpan<int> tokens, Segments segments)
    {
        Rows.Add(tokens.Length);
        Tensor logits = Tensor.Create(new Shape(segments.Count, vocabularySize), DType.F32);
        for (int i = 0; i < segments.Count; i++)
        {
            ReadOnlySpan<int> blocks = segments.Blocks(i);
            int end = segments.Past(i) + segments.Length(i);
            for (int position = segments.Past(i); position < end; position++)
            {
                int row = segments.Start(i) + position - segments.Past(i);
                _cache[Place(blocks, position)] = tokens[row];
            }

            for (int position = 0; position < end; position++)
            {
                _history[position] = _cache[Place(blocks, position)];
            }

            rule(_history.AsSpan(0, end), logits.Span<float>().Slice(i * vocabularySize, vocabularySize));
        }

        return logits;
    }

    public void Dispose() => _cache = [];

    private int Place(ReadOnlySpan<int> blocks, int position) =>
        (blocks[position / blockPositions] * blockPositions) + (position % blockPositions);
}
