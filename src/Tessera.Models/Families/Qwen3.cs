using System.Text.Json.Nodes;
using Tessera.Models.Checkpoints;
using Tessera.Models.Gguf;

namespace Tessera.Models.Families;

/// <summary>
/// Qwen3's form, which is ours too: Llama's with a norm on each head's queries and keys (arXiv 2505.09388).
/// </summary>
public sealed class Qwen3 : Llama
{
    // The class default of transformers; it means nothing while use_sliding_window is false.
    private const int MaximumWindowLayers = 28;
    private const string FullAttention = "full_attention";

    /// <inheritdoc/>
    public override string ModelType => "qwen3";

    /// <inheritdoc/>
    public override string Architecture => "Qwen3ForCausalLM";

    internal override int HeadSizeWhereAbsent(int width, int heads) => 128;

    internal override TransformerConfig Read(JsonFields fields)
    {
        Require(!fields.Bool("use_sliding_window", false), fields, "use_sliding_window", "false");
        bool full = fields.Strings("layer_types")?.All(type => type == FullAttention) ?? true;
        Require(full, fields, "layer_types", $"{FullAttention} for every layer");
        return base.Read(fields) with { QkNorm = true };
    }

    internal override bool GgufInterleaves => false;

    internal override TransformerConfig Read(GgufFields fields) => base.Read(fields) with { QkNorm = true };

    internal override JsonObject Write(TransformerConfig config)
    {
        JsonObject fields = base.Write(config);
        fields.Remove("mlp_bias");
        IEnumerable<string> types = Enumerable.Repeat(FullAttention, config.Layers);
        fields["layer_types"] = new JsonArray([.. types.Select(type => (JsonNode)type)]);
        fields["sliding_window"] = null;
        fields["use_sliding_window"] = false;
        return fields;
    }

    internal override JsonObject Defaults()
    {
        JsonObject fields = base.Defaults();
        fields.Remove("pretraining_tp");
        fields["max_window_layers"] = MaximumWindowLayers;
        return fields;
    }
}
