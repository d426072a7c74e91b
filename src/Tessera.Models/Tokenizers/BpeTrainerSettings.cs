namespace Tessera.Models.Tokenizers;

/// <summary>States what a tokenizer is trained to.</summary>
public sealed record BpeTrainerSettings
{
    /// <summary>The least memory limit in bytes.</summary>
    public const long LeastMemoryLimit = 8L << 20;

    /// <summary>Gets how many tokens there are to be: special tokens, the 256 bytes and the merges.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Gets how texts are split into words; there must be a splitting.</summary>
    public Splitting Splitting { get; init; } = Splitting.Gpt2;

    /// <summary>Gets the control tokens, which have the first ids in this order.</summary>
    public IReadOnlyList<string> SpecialTokens { get; init; } = [];

    /// <summary>Gets how many threads count words; the result doesn't depend on it.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>
    /// Gets the most bytes for counting words and for learning from them, beside the documents and the table of pairs
    /// (which grows with the vocabulary); over it the rarest words are forgotten, which the result states.
    /// </summary>
    /// <remarks>At least <see cref="LeastMemoryLimit"/>.</remarks>
    public long MemoryLimit { get; init; } = 2L << 30;
}
