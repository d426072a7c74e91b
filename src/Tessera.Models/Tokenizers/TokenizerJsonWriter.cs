using System.Text;

namespace Tessera.Models.Tokenizers;

/// <summary>Writes tokenizer.json byte for byte as <c>tokenizers</c> does, compact or indented.</summary>
internal static class TokenizerJsonWriter
{
    /// <summary>Returns the file's text.</summary>
    public static string Write(TokenizerJson tokenizer, bool indented)
    {
        StringBuilder output = new();
        JsonText json = new(output, indented);
        json.Begin('{');
        json.Name("version");
        json.Text("1.0");
        WriteStage(json, "truncation", "null");
        WriteStage(json, "padding", "null");
        WriteAddedTokens(json, tokenizer.AddedTokens);
        WriteStage(json, "normalizer", "null");
        WriteStage(json, "pre_tokenizer", tokenizer.PreTokenizer);
        WriteStage(json, "post_processor", tokenizer.PostProcessor);
        WriteStage(json, "decoder", tokenizer.Decoder);
        WriteModel(json, tokenizer);
        json.End('}');
        return output.ToString();
    }

    private static void WriteStage(JsonText json, string name, string value)
    {
        json.Name(name);
        json.Copy(Encoding.UTF8.GetBytes(value));
    }

    private static void WriteAddedTokens(JsonText json, IReadOnlyList<AddedToken> tokens)
    {
        json.Name("added_tokens");
        json.Begin('[');
        foreach (AddedToken token in tokens)
        {
            json.Element();
            json.Begin('{');
            json.Name("id");
            json.Number(token.Id);
            json.Name("content");
            json.Text(token.Text);
            WriteFlag(json, "single_word", token.SingleWord);
            WriteFlag(json, "lstrip", token.StripsLeft);
            WriteFlag(json, "rstrip", token.StripsRight);
            WriteFlag(json, "normalized", token.Normalized);
            WriteFlag(json, "special", token.IsSpecial);
            json.End('}');
        }

        json.End(']');
    }

    private static void WriteModel(JsonText json, TokenizerJson tokenizer)
    {
        json.Name("model");
        json.Begin('{');
        WriteText(json, "type", "BPE");
        WriteText(json, "dropout", null);
        WriteText(json, "unk_token", tokenizer.UnknownToken);
        WriteText(json, "continuing_subword_prefix", tokenizer.ContinuingSubwordPrefix);
        WriteText(json, "end_of_word_suffix", tokenizer.EndOfWordSuffix);
        WriteFlag(json, "fuse_unk", tokenizer.FuseUnknown);
        WriteFlag(json, "byte_fallback", false);
        WriteFlag(json, "ignore_merges", tokenizer.IgnoreMerges);
        json.Name("vocab");
        json.Begin('{');
        foreach ((string token, int id) in tokenizer.Vocabulary.OrderBy(entry => entry.Id))
        {
            json.Name(token);
            json.Number(id);
        }

        json.End('}');
        json.Name("merges");
        json.Begin('[');
        foreach ((string left, string right) in tokenizer.Merges)
        {
            json.Element();
            json.Begin('[');
            json.Element();
            json.Text(left);
            json.Element();
            json.Text(right);
            json.End(']');
        }

        json.End(']');
        json.End('}');
    }

    private static void WriteText(JsonText json, string name, string? value)
    {
        json.Name(name);
        json.Text(value);
    }

    private static void WriteFlag(JsonText json, string name, bool value)
    {
        json.Name(name);
        json.Flag(value);
    }
}
