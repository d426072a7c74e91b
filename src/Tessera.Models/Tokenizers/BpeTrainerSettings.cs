namespace Tessera.Models.Tokenizers;

/// <summary>States what a tokenizer is trained to.</summary>
public sealed record BpeTrainerSettings
{
    /// <summary>Gets how many tokens there are to be: special tokens, the 256 bytes and the merges.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Gets how texts are split into words; there must be a splitting.</summary>
    public Splitting Splitting { get; init; } = Splitting.Gpt2;

    /// <summary>Gets the control tokens, which have the first ids in this order.</summary>
    public IReadOnlyList<string> SpecialTokens { get; init; } = [];

    /// <summary>Gets how many threads count words; the result doesn't depend on it.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>
    /// Gets the most bytes for the table of words; over it the rarest words are forgotten, which the result states.
    /// </summary>
    public long MemoryLimit { get; init; } = 2L << 30;
}
