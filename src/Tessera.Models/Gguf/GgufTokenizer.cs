using Tessera.Models.Tokenizers;
using Tessera.Tensors.Files;

namespace Tessera.Models.Gguf;

/// <summary>Reads a tokenizer from a GGUF file's keys.</summary>
internal static class GgufTokenizer
{
    /// <summary>The key of the tokens' texts.</summary>
    public const string TokensKey = Prefix + "tokens";

    private const string Prefix = "tokenizer.ggml.";

    // tokenizer.ggml.token_type.
    private const int Control = 3;
    private const int UserDefined = 4;
    private const int LargestType = 6;

    // What llama.cpp calls the ways of splitting; others that it knows are not read yet.
    private static readonly Dictionary<string, Splitting> _splittings = new(StringComparer.Ordinal)
    {
        ["gpt-2"] = Splitting.Gpt2,
        ["mpt"] = Splitting.Gpt2,
        ["smollm"] = Splitting.Gpt2Digits,
        ["starcoder"] = Splitting.Gpt2Digits,
        ["refact"] = Splitting.Gpt2Digits,
    };

    /// <summary>Reads the tokenizer.</summary>
    /// <exception cref="InvalidDataException">
    /// A key is absent, wrong or says what is not supported; the message names file, key and value.
    /// </exception>
    public static ByteLevelBpe Read(GgufFile file)
    {
        GgufMetadata metadata = file.Metadata;
        string model = metadata.Text(Prefix + "model");
        string pre = metadata.OptionalText(Prefix + "pre") ?? "default";
        if (model != "gpt2" || !_splittings.TryGetValue(pre, out Splitting splitting))
        {
            throw new InvalidDataException(
                $"{file.Path}: {Prefix}model {HostileText.Quote(model)} with pre {HostileText.Quote(pre)} is not "
                + $"supported; gpt2 with {string.Join(", ", _splittings.Keys)} is");
        }

        string[] tokens = Required(metadata.OptionalTexts(TokensKey), "tokens");
        string[] merges = Required(metadata.OptionalTexts(Prefix + "merges"), "merges");
        int[]? types = metadata.OptionalInts(Prefix + "token_type", 0, LargestType);
        if (tokens.Length > TokenizerJson.MostTokens)
        {
            throw Wrong("tokens", $"has {tokens.Length}; at most {TokenizerJson.MostTokens} are read");
        }

        if (types is not null && types.Length != tokens.Length)
        {
            throw Wrong("token_type", $"has {types.Length} values for {tokens.Length} tokens");
        }

        int Type(int id) => types?[id] ?? 0;
        IEnumerable<(string Token, int Id)> all = tokens.Select((token, id) => (token, id));
        return new ByteLevelBpe(file.Path, new TokenizerJson
        {
            Vocabulary = [.. Distinct(all)],
            AddedTokens =
            [
                .. all.Where(token => Type(token.Id) is Control or UserDefined && token.Token.Length > 0)
                    .Select(token => new AddedToken
                    {
                        Id = token.Id,
                        Text = token.Token,
                        IsSpecial = Type(token.Id) == Control,
                    }),
            ],
            Merges = [.. merges.Select(Pair)],
            Splitting = splitting,
            PreTokenizer = TokenizerJson.PreTokenizerOf(splitting),
            DropsUnknownBytes = true,
        });

        IEnumerable<(string Token, int Id)> Distinct(IEnumerable<(string Token, int Id)> some)
        {
            HashSet<string> seen = new(StringComparer.Ordinal);
            foreach ((string Token, int Id) token in some)
            {
                yield return seen.Add(token.Token)
                    ? token
                    : throw Wrong("tokens", $"has {HostileText.Quote(token.Token)} twice");
            }
        }

        (string Left, string Right) Pair(string merge, int index)
        {
            int space = merge.IndexOf(' ', StringComparison.Ordinal);
            return space > 0 && space == merge.LastIndexOf(' ') && space < merge.Length - 1
                ? (merge[..space], merge[(space + 1)..])
                : throw Wrong($"merges[{index}]", $"is {HostileText.Quote(merge)}, wanted two tokens");
        }

        string[] Required(string[]? list, string name) => list ?? throw Wrong(name, "is absent");

        InvalidDataException Wrong(string name, string problem) => new($"{file.Path}: {Prefix}{name} {problem}");
    }
}
