namespace Tessera.Models.Tokenizers;

/// <summary>
/// Reads the stages around the model of a byte-level tokenizer.json: pre-tokenizer, post-processor and decoder.
/// </summary>
internal static class TokenizerJsonStages
{
    private const int MostStages = 16;

    /// <summary>Reads which splitting a pre-tokenizer stands for.</summary>
    public static Splitting ReadSplitting(JsonSlice preTokenizer)
    {
        Dictionary<string, JsonSlice> fields = preTokenizer.Fields(
            "type", "add_prefix_space", "trim_offsets", "use_regex", "pretokenizers");
        switch (TypeOf(preTokenizer, fields))
        {
            case "ByteLevel":
                return ReadByteLevel(preTokenizer) ? Splitting.Gpt2 : Splitting.None;
            case "Sequence" when fields.TryGetValue("pretokenizers", out JsonSlice? stages):
                List<JsonSlice> parts = stages.Elements(MostStages);
                if (parts.Count == 2 && IsDigits(parts[0]))
                {
                    return ReadByteLevel(parts[1])
                        ? Splitting.Gpt2Digits
                        : throw parts[1].Error("use_regex true after Digits");
                }

                if (parts.Count == 2)
                {
                    Splitting splitting = ReadSplit(parts[0]);
                    return ReadByteLevel(parts[1]) ? throw parts[1].Error("use_regex false after a Split") : splitting;
                }

                break;
        }

        throw preTokenizer.Error("ByteLevel, or a Sequence of Split or Digits and ByteLevel");
    }

    /// <summary>Reads a post-processor, which must add no token; returns it as JSON.</summary>
    public static string ReadPostProcessor(JsonSlice post)
    {
        if (post.IsNull)
        {
            return "null";
        }

        Dictionary<string, JsonSlice> fields = post.Fields(
            "type", "single", "pair", "special_tokens", "add_prefix_space", "trim_offsets", "use_regex");
        string type = TypeOf(post, fields);
        bool addsNothing = type == "ByteLevel"
            || (type == "TemplateProcessing"
                && fields.TryGetValue("single", out JsonSlice? single) && IsSequenceAlone(single)
                && (!fields.TryGetValue("special_tokens", out JsonSlice? specials) || specials.Compact() == "{}"));
        return addsNothing
            ? post.Compact()
            : throw post.Error("null, ByteLevel, or a TemplateProcessing that adds no token");
    }

    /// <summary>Reads a decoder, which must be ByteLevel; returns it as JSON.</summary>
    public static string ReadDecoder(JsonSlice decoder)
    {
        ReadByteLevelFields(decoder);
        return decoder.Compact();
    }

    private static string TypeOf(JsonSlice stage, Dictionary<string, JsonSlice> fields) =>
        fields.TryGetValue("type", out JsonSlice? type) ? type.Text() : throw stage.Error("an object with a type");

    // Returns whether it splits by GPT-2's expression.
    private static bool ReadByteLevel(JsonSlice stage)
    {
        Dictionary<string, JsonSlice> fields = ReadByteLevelFields(stage);
        if (fields.TryGetValue("add_prefix_space", out JsonSlice? prefix) && prefix.Flag())
        {
            throw prefix.Error("false: a space before the text is not supported");
        }

        return !fields.TryGetValue("use_regex", out JsonSlice? regex) || regex.Flag();
    }

    private static Dictionary<string, JsonSlice> ReadByteLevelFields(JsonSlice stage)
    {
        Dictionary<string, JsonSlice> fields = stage.Fields("type", "add_prefix_space", "trim_offsets", "use_regex");
        return TypeOf(stage, fields) == "ByteLevel" ? fields : throw stage.Error("ByteLevel");
    }

    private static bool IsDigits(JsonSlice stage)
    {
        Dictionary<string, JsonSlice> fields =
            stage.Fields("type", "individual_digits", "pattern", "behavior", "invert");
        if (TypeOf(stage, fields) != "Digits")
        {
            return false;
        }

        return fields.TryGetValue("individual_digits", out JsonSlice? each) && each.Flag()
            ? true
            : throw stage.Error("individual_digits true");
    }

    private static Splitting ReadSplit(JsonSlice stage)
    {
        Dictionary<string, JsonSlice> fields = stage.Fields("type", "pattern", "behavior", "invert");
        if (TypeOf(stage, fields) != "Split" || !fields.TryGetValue("pattern", out JsonSlice? pattern))
        {
            throw stage.Error("Split with a pattern");
        }

        if (fields.TryGetValue("behavior", out JsonSlice? behavior) && behavior.Text() != "Isolated")
        {
            throw behavior.Error("\"Isolated\"");
        }

        if (fields.TryGetValue("invert", out JsonSlice? invert) && invert.Flag())
        {
            throw invert.Error("false");
        }

        string expression = pattern.Fields("Regex").TryGetValue("Regex", out JsonSlice? regex)
            ? regex.Text()
            : throw pattern.Error("a Regex");
        return expression switch
        {
            Gpt2Splitter.Expression => Splitting.Gpt2,
            Cl100kSplitter.Expression => Splitting.Cl100k,
            _ => throw regex.Error("the splitting expression of GPT-2 or cl100k"),
        };
    }

    private static bool IsSequenceAlone(JsonSlice single)
    {
        List<JsonSlice> pieces = single.Elements(MostStages);
        return pieces.Count == 1 && pieces[0].Fields("Sequence", "SpecialToken").ContainsKey("Sequence");
    }
}
