using Tessera.Tensors;

namespace Tessera.Inference;

/// <summary>Holds the rows of one step: tokens of several sequences, one after the other. It is reused.</summary>
internal sealed class Batch
{
    private readonly List<Sequence> _sequences = [];
    private int[] _tokens = new int[256];

    /// <summary>Gets the sequences, one for each segment.</summary>
    public IReadOnlyList<Sequence> Sequences => _sequences;

    /// <summary>Gets where each sequence's rows are and what came before them.</summary>
    public Segments Segments { get; } = new();

    /// <summary>Gets the token of each row (N).</summary>
    public ReadOnlySpan<int> Tokens => _tokens.AsSpan(0, Segments.Rows);

    /// <summary>Takes everything out.</summary>
    public void Clear()
    {
        _sequences.Clear();
        Segments.Clear();
    }

    /// <summary>Adds a sequence's next rows.</summary>
    public void Add(Sequence sequence, ReadOnlySpan<int> tokens)
    {
        int start = Segments.Rows;
        if (start + tokens.Length > _tokens.Length)
        {
            Array.Resize(ref _tokens, 2 * (start + tokens.Length));
        }

        tokens.CopyTo(_tokens.AsSpan(start));
        Segments.Add(tokens.Length, sequence.Past, sequence.Blocks);
        _sequences.Add(sequence);
    }
}
