namespace Tessera.Training.Data;

/// <summary>Says what a tokenised file holds and what it was made from; kept beside the tokens.</summary>
public sealed record TokenFileFacts
{
    /// <summary>Gets the version of the form of the cache.</summary>
    public required int FormatVersion { get; init; }

    /// <summary>Gets the path that the file was read from.</summary>
    public required string Path { get; init; }

    /// <summary>Gets the part of the file that was read.</summary>
    public required string Slice { get; init; }

    /// <summary>Gets the size of the file as it lies on disk.</summary>
    public required long Bytes { get; init; }

    /// <summary>Gets the SHA-256 of the file as it lies on disk, in lower-case hexadecimal.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Gets the fingerprint of the tokenizer.</summary>
    public required string Tokenizer { get; init; }

    /// <summary>Gets the number of ids of the tokenizer.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Gets the number of documents.</summary>
    public long Documents { get; init; }

    /// <summary>Gets the number of documents that are conversations.</summary>
    public long Conversations { get; init; }

    /// <summary>Gets the number of documents without a token, which are left out.</summary>
    public long EmptyDocuments { get; init; }

    /// <summary>Gets the number of tokens.</summary>
    public long Tokens { get; init; }

    /// <summary>Gets the bytes of text, in UTF-8.</summary>
    public long TextBytes { get; init; }

    /// <summary>Gets the characters of text (Unicode scalar values).</summary>
    public long Characters { get; init; }

    /// <summary>Gets the number of bad lines that were skipped.</summary>
    public long BadLines { get; init; }

    /// <summary>Gets the first bad lines.</summary>
    public IReadOnlyList<BadLine> FirstBadLines { get; init; } = [];

    /// <summary>Gets how many documents name each source.</summary>
    public IReadOnlyDictionary<string, long> Sources { get; init; } = new Dictionary<string, long>();

    /// <summary>Gets how many documents state each licence.</summary>
    public IReadOnlyDictionary<string, long> Licences { get; init; } = new Dictionary<string, long>();
}
