using Tessera.Models.Tokenizers;

namespace Tessera.Training.Recipes;

/// <summary>Describes the tokenizer that a recipe makes, or names one that is there.</summary>
public sealed record TokenizerRecipe
{
    /// <summary>
    /// Gets a tokenizer.json, or a folder with one, that is used as it is; none where one is to be made.
    /// </summary>
    public string? Path { get; init; }

    /// <summary>Gets how the tokenizer is made.</summary>
    public TokenizerKind Kind { get; init; } = TokenizerKind.Bpe;

    /// <summary>Gets the number of tokens: control tokens, the 256 bytes and the merges.</summary>
    public int Vocabulary { get; init => field = Check.Within(value, 257, 1 << 20); } = 8192;

    /// <summary>Gets how texts are split into words: gpt2 or cl100k.</summary>
    public Splitting Splitting { get; init; } = Splitting.Gpt2;

    /// <summary>Gets how many documents, the first of the run's order, it is trained on.</summary>
    public int Documents { get; init => field = Check.Within(value, 1, int.MaxValue); } = int.MaxValue;

    /// <summary>Gets the most megabytes of text that it is trained on.</summary>
    public int Megabytes { get; init => field = Check.Within(value, 1, 1 << 16); } = 256;

    /// <summary>
    /// Gets the control tokens, which have the first ids; the first of them stands between documents.
    /// </summary>
    public IReadOnlyList<string> ControlTokens { get; init; } = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];

    /// <summary>Returns what a byte-pair encoding is trained to.</summary>
    internal BpeTrainerSettings Settings() => new()
    {
        VocabularySize = Vocabulary,
        Splitting = Splitting,
        SpecialTokens = ControlTokens,
    };

    internal void Validate()
    {
        if (ControlTokens.Count == 0 || ControlTokens.Any(string.IsNullOrEmpty))
        {
            throw new ArgumentException(
                "tokenizer: control_tokens must name at least one, the one that stands between documents");
        }

        if (Path is null && Kind == TokenizerKind.Bpe)
        {
            try
            {
                _ = new BpeTrainer(Settings());
            }
            catch (ArgumentException wrong)
            {
                throw new ArgumentException($"tokenizer: {wrong.Message}", wrong);
            }
        }
    }
}
