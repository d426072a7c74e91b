using System.Text;
using System.Text.Json;
using Tessera.Tensors.Files;

namespace Tessera.Models.Tokenizers;

/// <summary>
/// Reads the byte-level form of tokenizer.json. The file is hostile until it is read: sizes are checked before memory
/// is taken, and whatever is not supported is an error that names file, field and value.
/// </summary>
internal static class TokenizerJsonReader
{
    private const int MostAddedTokens = 1 << 16;

    /// <summary>Reads a file.</summary>
    public static TokenizerJson ReadFile(string path) => Read(path, BoundedFile.Read(path, ByteLevelBpe.LargestFile));

    /// <summary>Reads the bytes of a file.</summary>
    public static TokenizerJson Read(string file, ReadOnlyMemory<byte> json)
    {
        Dictionary<string, JsonSlice> fields = new JsonSlice(file, "", WithoutByteOrderMark(json)).Fields(
            "version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor",
            "decoder", "model");
        foreach (string unsupported in new[] { "truncation", "padding", "normalizer" })
        {
            if (fields.TryGetValue(unsupported, out JsonSlice? field) && !field.IsNull)
            {
                throw field.Error("null: nothing else is supported for byte-level BPE");
            }
        }

        if (fields.TryGetValue("version", out JsonSlice? version) && version.Text() != "1.0")
        {
            throw version.Error("\"1.0\"");
        }

        JsonSlice preTokenizer = Required(file, fields, "pre_tokenizer");
        TokenizerJson read = ReadModel(file, Required(file, fields, "model"));
        return read with
        {
            AddedTokens = fields.TryGetValue("added_tokens", out JsonSlice? added) ? ReadAddedTokens(file, added) : [],
            Splitting = TokenizerJsonStages.ReadSplitting(preTokenizer),
            PreTokenizer = preTokenizer.Compact(),
            PostProcessor = fields.TryGetValue("post_processor", out JsonSlice? post)
                ? TokenizerJsonStages.ReadPostProcessor(post)
                : "null",
            Decoder = TokenizerJsonStages.ReadDecoder(Required(file, fields, "decoder")),
        };
    }

    private static ReadOnlyMemory<byte> WithoutByteOrderMark(ReadOnlyMemory<byte> json)
    {
        ReadOnlyMemory<byte> rest = json.Span.StartsWith("\uFEFF"u8) ? json[3..] : json;
        return rest[(rest.Length - rest.Span.TrimStart(" \t\r\n"u8).Length)..];
    }

    private static JsonSlice Required(
        string file, Dictionary<string, JsonSlice> fields, string name, string parent = "") =>
        fields.TryGetValue(name, out JsonSlice? field)
            ? field
            : throw new InvalidDataException($"{file}: {parent}{name}: absent, wanted a value");

    private static TokenizerJson ReadModel(string file, JsonSlice model)
    {
        Dictionary<string, JsonSlice> fields = model.Fields(
            "type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
            "byte_fallback", "ignore_merges", "vocab", "merges");
        if (fields.TryGetValue("type", out JsonSlice? type) && type.Text() != "BPE")
        {
            throw type.Error("\"BPE\"");
        }

        if (fields.TryGetValue("dropout", out JsonSlice? dropout) && !dropout.IsNull)
        {
            throw dropout.Error("null: dropout of merges is not supported");
        }

        if (fields.TryGetValue("byte_fallback", out JsonSlice? fallback) && fallback.Flag())
        {
            throw fallback.Error("false: byte-level tokens have no need of it");
        }

        return new TokenizerJson
        {
            Vocabulary = ReadVocabulary(Required(file, fields, "vocab", "model.")),
            Merges = ReadMerges(Required(file, fields, "merges", "model.")),
            IgnoreMerges = fields.TryGetValue("ignore_merges", out JsonSlice? ignore) && ignore.Flag(),
            FuseUnknown = fields.TryGetValue("fuse_unk", out JsonSlice? fuse) && fuse.Flag(),
            UnknownToken = TextOrNull(fields, "unk_token"),
            ContinuingSubwordPrefix = Empty(fields, "continuing_subword_prefix"),
            EndOfWordSuffix = Empty(fields, "end_of_word_suffix"),
            Splitting = default,
            PreTokenizer = "null",
        };
    }

    private static string? TextOrNull(Dictionary<string, JsonSlice> fields, string name) =>
        !fields.TryGetValue(name, out JsonSlice? field) || field.IsNull ? null : field.Text();

    private static string? Empty(Dictionary<string, JsonSlice> fields, string name)
    {
        string? text = TextOrNull(fields, name);
        return string.IsNullOrEmpty(text) ? text : throw fields[name].Error("null or an empty string");
    }

    private static List<(string Token, int Id)> ReadVocabulary(JsonSlice vocabulary)
    {
        List<(string Token, int Id)> tokens = [];
        HashSet<string> names = [];
        HashSet<int> ids = [];
        Utf8JsonReader reader = vocabulary.Reader(JsonTokenType.StartObject, "an object of tokens and ids");
        while (vocabulary.Read(ref reader) && reader.TokenType == JsonTokenType.PropertyName)
        {
            string token = vocabulary.StringAt(ref reader, "");
            vocabulary.Read(ref reader);
            int id = 0;
            bool isId = reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out id);
            string? problem = !isId || id < 0 || id >= TokenizerJson.MostTokens
                ? $"{Raw(ref reader)}, wanted an id from 0 to {TokenizerJson.MostTokens - 1}"
                : !names.Add(token) ? "the token is there twice"
                : !ids.Add(id) ? $"{id}, which another token has"
                : null;
            if (problem is not null)
            {
                throw vocabulary.ErrorAt($"[{HostileText.Plain(token)}]", problem);
            }

            tokens.Add((token, id));
        }

        return tokens;
    }

    private static List<(string Left, string Right)> ReadMerges(JsonSlice merges)
    {
        List<(string Left, string Right)> pairs = [];
        Utf8JsonReader reader = merges.Reader(JsonTokenType.StartArray, "an array of pairs");
        while (merges.Read(ref reader) && reader.TokenType != JsonTokenType.EndArray)
        {
            string part = $"[{pairs.Count}]";
            if (pairs.Count == TokenizerJson.MostTokens)
            {
                throw merges.ErrorAt(part, $"one more than {TokenizerJson.MostTokens} merges");
            }

            pairs.Add(reader.TokenType switch
            {
                JsonTokenType.String => TwoWords(merges, part, merges.StringAt(ref reader, part)),
                JsonTokenType.StartArray => Pair(merges, part, ref reader),
                _ => throw merges.ErrorAt(part, $"{Raw(ref reader)}, wanted [\"a\", \"b\"] or \"a b\""),
            });
        }

        return pairs;
    }

    private static (string Left, string Right) Pair(JsonSlice merges, string part, ref Utf8JsonReader reader)
    {
        string left = Half(merges, part, ref reader);
        string right = Half(merges, part, ref reader);
        return merges.Read(ref reader) && reader.TokenType == JsonTokenType.EndArray
            ? (left, right)
            : throw merges.ErrorAt(part, "more than two strings, wanted [\"a\", \"b\"]");
    }

    private static string Half(JsonSlice merges, string part, ref Utf8JsonReader reader) =>
        merges.Read(ref reader) && reader.TokenType == JsonTokenType.String
            ? merges.StringAt(ref reader, part)
            : throw merges.ErrorAt(part, $"{Raw(ref reader)}, wanted two strings");

    private static (string Left, string Right) TwoWords(JsonSlice merges, string part, string text)
    {
        int space = text.IndexOf(' ');
        return space >= 0 && text.IndexOf(' ', space + 1) < 0
            ? (text[..space], text[(space + 1)..])
            : throw merges.ErrorAt(part, $"{HostileText.Quote(text)}, wanted two tokens with one space between them");
    }

    private static List<AddedToken> ReadAddedTokens(string file, JsonSlice added)
    {
        List<AddedToken> tokens = [];
        HashSet<string> texts = [];
        HashSet<int> ids = [];
        foreach (JsonSlice element in added.Elements(MostAddedTokens))
        {
            Dictionary<string, JsonSlice> fields =
                element.Fields("id", "content", "single_word", "lstrip", "rstrip", "normalized", "special");
            bool Flag(string name) => fields.TryGetValue(name, out JsonSlice? field) && field.Flag();
            AddedToken token = new()
            {
                Id = Required(file, fields, "id", $"added_tokens[{tokens.Count}].").Number(TokenizerJson.MostTokens),
                Text = Required(file, fields, "content", $"added_tokens[{tokens.Count}].").Text(),
                SingleWord = Flag("single_word"),
                StripsLeft = Flag("lstrip"),
                StripsRight = Flag("rstrip"),
                Normalized = Flag("normalized"),
                IsSpecial = Flag("special"),
            };
            if (token.Text.Length == 0 || !texts.Add(token.Text) || !ids.Add(token.Id))
            {
                throw element.Error("a text that isn't empty, and each text and each id once");
            }

            tokens.Add(token);
        }

        return [.. tokens.OrderBy(token => token.Id)];
    }

    private static string Raw(ref Utf8JsonReader reader) =>
        HostileText.Plain(Encoding.UTF8.GetString(reader.ValueSpan[..Math.Min(reader.ValueSpan.Length, 512)]));
}
