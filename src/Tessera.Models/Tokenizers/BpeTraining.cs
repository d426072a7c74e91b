namespace Tessera.Models.Tokenizers;

/// <summary>Holds a trained tokenizer and what it was trained on.</summary>
public sealed record BpeTraining
{
    /// <summary>Gets the tokenizer.</summary>
    public required ByteLevelBpe Tokenizer { get; init; }

    /// <summary>Gets, for each merge in order, how often the pair stood in the text when it was chosen.</summary>
    public required IReadOnlyList<long> MergeCounts { get; init; }

    /// <summary>Gets how many bytes of text were read.</summary>
    public required long Bytes { get; init; }

    /// <summary>Gets how many different words the merges were learned from.</summary>
    public required long DistinctWords { get; init; }

    /// <summary>Gets how many times a word was forgotten because the table was over its limit.</summary>
    public required long ForgottenWords { get; init; }

    /// <summary>Gets how many occurrences the forgotten words had.</summary>
    public required long ForgottenOccurrences { get; init; }
}
