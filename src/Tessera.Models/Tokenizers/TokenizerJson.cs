namespace Tessera.Models.Tokenizers;

/// <summary>
/// Holds what a byte-level tokenizer.json says, as far as it is supported, and what is needed to write it again.
/// </summary>
internal sealed record TokenizerJson
{
    private const string Gpt2PreTokenizer =
        """{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}""";

    private const string Gpt2DigitsPreTokenizer =
        """{"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},"""
        + Gpt2PreTokenizer + "]}";

    private const string NoRegexPreTokenizer =
        """{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}""";

    private const string Cl100kPreTokenizer =
        """{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"(?i:'s|'t|'re|'ve|'m|'ll|'d)|"""
        + """[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|"""
        + """\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"}"""
        + ""","behavior":"Isolated","invert":false},""" + NoRegexPreTokenizer + "]}";

    /// <summary>The end of the range of ids: twice what the largest known vocabulary has.</summary>
    public const int MostTokens = 1 << 20;

    /// <summary>Gets the tokens of the model, in the byte alphabet, with their ids.</summary>
    public required IReadOnlyList<(string Token, int Id)> Vocabulary { get; init; }

    /// <summary>Gets the merges in order of their rank.</summary>
    public required IReadOnlyList<(string Left, string Right)> Merges { get; init; }

    /// <summary>Gets the added tokens in order of their ids.</summary>
    public IReadOnlyList<AddedToken> AddedTokens { get; init; } = [];

    /// <summary>Gets how texts are split into words.</summary>
    public required Splitting Splitting { get; init; }

    /// <summary>Gets whether a word that is in the vocabulary is taken whole, whatever the merges say.</summary>
    public bool IgnoreMerges { get; init; }

    /// <summary>Gets the pre-tokenizer as JSON.</summary>
    public required string PreTokenizer { get; init; }

    /// <summary>Gets the post-processor as JSON.</summary>
    public string PostProcessor { get; init; } = "null";

    /// <summary>Gets the decoder as JSON.</summary>
    public string Decoder { get; init; } =
        """{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true}""";

    /// <summary>Gets the token for unknown characters, which byte-level text doesn't have.</summary>
    public string? UnknownToken { get; init; }

    /// <summary>
    /// Gets whether bytes that have no token are left out, as <c>tokenizers</c> does; else they are an error.
    /// </summary>
    public bool DropsUnknownBytes { get; init; }

    /// <summary>Gets the prefix within a word: null or empty.</summary>
    public string? ContinuingSubwordPrefix { get; init; }

    /// <summary>Gets the suffix at a word's end: null or empty.</summary>
    public string? EndOfWordSuffix { get; init; }

    /// <summary>Gets whether unknown characters in a row become one token.</summary>
    public bool FuseUnknown { get; init; }

    /// <summary>
    /// Returns the JSON of the pre-tokenizer that stands for a splitting, as <c>tokenizers</c> writes it.
    /// </summary>
    public static string PreTokenizerOf(Splitting splitting) => splitting switch
    {
        Splitting.Gpt2 => Gpt2PreTokenizer,
        Splitting.Cl100k => Cl100kPreTokenizer,
        Splitting.Gpt2Digits => Gpt2DigitsPreTokenizer,
        _ => NoRegexPreTokenizer,
    };
}
