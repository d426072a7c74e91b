using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tessera.Models.Checkpoints;

/// <summary>Holds what a checkpoint's tokenizer_config.json says beside the tokenizer itself.</summary>
public sealed record TokenizerSettings
{
    /// <summary>Gets the token that begins a text; null where there is none.</summary>
    public string? BosToken { get; init; }

    /// <summary>Gets the token that ends a text; null where there is none.</summary>
    public string? EosToken { get; init; }

    /// <summary>Gets the number of tokens that the model was made for; null where the file doesn't say.</summary>
    public int? MaximumLength { get; init; }

    /// <summary>Gets whether a text is encoded with the BOS token before it; null where the file doesn't say.</summary>
    public bool? AddBosToken { get; init; }

    /// <summary>Gets the fields as they were read, so that those that mean nothing to us are written again.</summary>
    internal JsonObject? Source { get; init; }

    internal static TokenizerSettings Read(JsonFields fields)
    {
        // Where no length is known, transformers writes the float 1e30 as a whole number.
        double length = fields.OptionalDouble("model_max_length", 0, 1e31) ?? double.PositiveInfinity;
        return new TokenizerSettings
        {
            BosToken = Token(fields, "bos_token"),
            EosToken = Token(fields, "eos_token"),
            MaximumLength = length <= int.MaxValue ? (int)length : null,
            AddBosToken = fields.OptionalBool("add_bos_token"),
            Source = JsonObject.Create(fields.Element),
        };
    }

    /// <summary>
    /// Returns the template that older checkpoints keep here: a string, or the default one of a list.
    /// </summary>
    internal static string? ChatTemplate(JsonFields fields)
    {
        if (!fields.Element.TryGetProperty("chat_template", out JsonElement value)
            || value.ValueKind != JsonValueKind.Array)
        {
            return fields.OptionalString("chat_template");
        }

        return fields.Objects("chat_template")
            .FirstOrDefault(item => item.OptionalString("name") == "default")?.OptionalString("template");
    }

    internal JsonObject Write()
    {
        JsonObject fields = Source?.DeepClone().AsObject() ?? new JsonObject
        {
            ["backend"] = "tokenizers",
            ["tokenizer_class"] = "TokenizersBackend",
        };

        // The template has a file of its own.
        fields.Remove("chat_template");
        Set(fields, "bos_token", BosToken);
        Set(fields, "eos_token", EosToken);
        if (MaximumLength is { } length)
        {
            fields["model_max_length"] = length;
        }

        if (AddBosToken is { } add)
        {
            fields["add_bos_token"] = add;
        }

        return fields;
    }

    // A token that was read with its properties keeps them while it is the same.
    private static void Set(JsonObject fields, string name, string? token)
    {
        if (fields[name] is JsonObject whole && (string?)whole["content"] == token)
        {
            return;
        }

        fields.Remove(name);
        if (token is not null)
        {
            fields[name] = token;
        }
    }

    private static string? Token(JsonFields fields, string name) =>
        fields.Element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Object
            ? fields.Object(name)!.String("content")
            : fields.OptionalString(name);
}
