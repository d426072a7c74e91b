using System.Text.Json.Nodes;
using Tessera.Models.Families;

namespace Tessera.Models.Checkpoints;

/// <summary>
/// Holds what a checkpoint's generation_config.json says: which tokens end an answer, and how its makers sample.
/// </summary>
public sealed record GenerationConfig
{
    /// <summary>Gets the id of the token that begins a text; null where there is none.</summary>
    public int? BosId { get; init; }

    /// <summary>Gets the ids of the tokens that end an answer.</summary>
    public IReadOnlyList<int> EosIds { get; init; } = [];

    /// <summary>
    /// Gets whether tokens are drawn (and not always the likeliest taken); null where the file doesn't say.
    /// </summary>
    public bool? Sample { get; init; }

    /// <summary>Gets the temperature; null where the file doesn't say.</summary>
    public double? Temperature { get; init; }

    /// <summary>Gets how many of the likeliest tokens are kept; null where the file doesn't say.</summary>
    public int? TopK { get; init; }

    /// <summary>Gets the probability that the kept tokens reach together; null where the file doesn't say.</summary>
    public double? TopP { get; init; }

    /// <summary>
    /// Gets the least probability of a token, of the likeliest one's; null where the file doesn't say.
    /// </summary>
    public double? MinP { get; init; }

    /// <summary>Gets the factor against tokens that were used before; null where the file doesn't say.</summary>
    public double? RepetitionPenalty { get; init; }

    /// <summary>Gets the fields as they were read, so that those that mean nothing to us are written again.</summary>
    internal JsonObject? Source { get; init; }

    /// <summary>Returns what holds where a checkpoint has no such file.</summary>
    internal static GenerationConfig Of(TransformerConfig config) =>
        new() { BosId = config.BosId, EosIds = config.EosIds };

    internal static GenerationConfig Read(JsonFields fields)
    {
        IReadOnlyList<int> bos = fields.Ids("bos_token_id");
        return new GenerationConfig
        {
            BosId = bos.Count > 0 ? bos[0] : null,
            EosIds = fields.Ids("eos_token_id"),
            Sample = fields.OptionalBool("do_sample"),
            Temperature = fields.OptionalDouble("temperature", 0, 1e6),
            TopK = fields.OptionalInt("top_k", 0, int.MaxValue),
            TopP = fields.OptionalDouble("top_p", 0, 1),
            MinP = fields.OptionalDouble("min_p", 0, 1),
            RepetitionPenalty = fields.OptionalDouble("repetition_penalty", 0, 1e6),
            Source = JsonObject.Create(fields.Element),
        };
    }

    internal JsonObject Write()
    {
        // Without a source these are the fields that transformers derives from a model's configuration.
        JsonObject fields = Source?.DeepClone().AsObject() ?? new JsonObject
        {
            ["_from_model_config"] = true,
            ["output_attentions"] = false,
            ["output_hidden_states"] = false,
            ["use_cache"] = true,
        };
        fields["transformers_version"] = CheckpointFiles.TransformersVersion;
        Set(fields, "bos_token_id", BosId);
        Set(fields, "eos_token_id", ModelFamily.Ids(EosIds));
        Set(fields, "do_sample", Sample);
        Set(fields, "temperature", Temperature);
        Set(fields, "top_k", TopK);
        Set(fields, "top_p", TopP);
        Set(fields, "min_p", MinP);
        Set(fields, "repetition_penalty", RepetitionPenalty);
        return fields;
    }

    private static void Set(JsonObject fields, string name, JsonNode? value)
    {
        fields.Remove(name);
        if (value is not null)
        {
            fields[name] = value;
        }
    }
}
