using System.Text.Json.Nodes;
using Tessera.Models.Checkpoints;
using Tessera.Models.Gguf;
using Tessera.Tensors;

namespace Tessera.Models.Families;

/// <summary>
/// Llama's form: RMS norms, rotary positions, grouped key heads, SwiGLU (arXiv 2302.13971, 2307.09288).
/// </summary>
public class Llama : ModelFamily
{
    /// <inheritdoc/>
    public override string ModelType => "llama";

    /// <inheritdoc/>
    public override string Architecture => "LlamaForCausalLM";

    internal override string Prefix => "model.";

    /// <inheritdoc/>
    public override IEnumerable<ParameterSpec> Parameters(TransformerConfig config)
    {
        (int V, int C, int F) = (config.VocabularySize, config.Width, config.FeedForwardWidth);
        yield return new(ParameterKind.TokenEmbedding, 0, "model.embed_tokens.weight", new Shape(V, C));
        for (int layer = 0; layer < config.Layers; layer++)
        {
            string name = $"model.layers.{layer}.";
            foreach (ParameterSpec spec in Attention(config, layer, name + "self_attn."))
            {
                yield return spec;
            }

            foreach (ParameterSpec spec in (ParameterSpec[])[
                new(ParameterKind.Gate, layer, name + "mlp.gate_proj.weight", new Shape(F, C)),
                new(ParameterKind.GateBias, layer, name + "mlp.gate_proj.bias", new Shape(F)),
                new(ParameterKind.Up, layer, name + "mlp.up_proj.weight", new Shape(F, C)),
                new(ParameterKind.UpBias, layer, name + "mlp.up_proj.bias", new Shape(F)),
                new(ParameterKind.Down, layer, name + "mlp.down_proj.weight", new Shape(C, F)),
                new(ParameterKind.DownBias, layer, name + "mlp.down_proj.bias", new Shape(C))])
            {
                if (config.FeedForwardBiases || spec.Shape.Rank == 2)
                {
                    yield return spec;
                }
            }

            string after = name + "post_attention_layernorm.weight";
            yield return new(ParameterKind.AttentionNorm, layer, name + "input_layernorm.weight", new Shape(C));
            yield return new(ParameterKind.FeedForwardNorm, layer, after, new Shape(C));
        }

        yield return new(ParameterKind.FinalNorm, 0, "model.norm.weight", new Shape(C));
        if (!config.TiedEmbeddings)
        {
            yield return new(ParameterKind.Head, 0, HeadName, new Shape(V, C));
        }
    }

    // Checkpoints of before 2024 carry the rotary frequencies.
    internal override bool IsConstant(string name) =>
        name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal);

    /// <summary>Returns what transformers takes for head_dim where config.json leaves it out.</summary>
    internal virtual int HeadSizeWhereAbsent(int width, int heads) => Math.Max(width / heads, 1);

    internal override TransformerConfig Read(JsonFields fields)
    {
        int width = fields.Int("hidden_size", 1, TransformerConfig.MaximumWidth);
        int heads = fields.Int("num_attention_heads", 1, TransformerConfig.MaximumHeads);
        int headSize = fields.OptionalInt("head_dim", 1, TransformerConfig.MaximumHeadSize)
            ?? HeadSizeWhereAbsent(width, heads);
        string activation = fields.OptionalString("hidden_act") ?? "silu";
        Require(activation is "silu" or "gelu_pytorch_tanh", fields, "hidden_act", "silu or gelu_pytorch_tanh");
        IReadOnlyList<int> bos = fields.Ids("bos_token_id");
        return new TransformerConfig
        {
            Family = ModelType,
            VocabularySize = fields.Int("vocab_size", 1, TransformerConfig.MaximumVocabulary),
            Width = width,
            Layers = fields.Int("num_hidden_layers", 1, TransformerConfig.MaximumLayers),
            Heads = heads,
            KeyHeads = fields.OptionalInt("num_key_value_heads", 1, TransformerConfig.MaximumHeads) ?? heads,
            HeadSize = headSize,
            FeedForwardWidth = fields.Int("intermediate_size", 1, TransformerConfig.MaximumFeedForwardWidth),
            ContextLength = fields.Int("max_position_embeddings", 1, TransformerConfig.MaximumContext),
            Activation = activation == "silu" ? Activation.SwiGlu : Activation.GeGluTanh,
            Norm = Norm.Rms,
            NormEpsilon = fields.Double("rms_norm_eps", 1e-6, 0, 1),
            AttentionBiases = fields.Bool("attention_bias", false),
            FeedForwardBiases = fields.Bool("mlp_bias", false),
            Rotary = ReadRotary(fields, headSize),
            TiedEmbeddings = fields.Bool("tie_word_embeddings", false),
            BosId = bos.Count > 0 ? bos[0] : null,
            EosIds = fields.Ids("eos_token_id"),
        };
    }

    internal override bool GgufInterleaves => true;

    internal override TransformerConfig Read(GgufFields fields)
    {
        int vocabulary = fields.Vocabulary;
        int width = fields.Int("embedding_length", 1, TransformerConfig.MaximumWidth);
        int heads = fields.Int("attention.head_count", 1, TransformerConfig.MaximumHeads);
        int headSize = fields.OptionalInt("attention.key_length", 1, TransformerConfig.MaximumHeadSize)
            ?? Math.Max(width / heads, 1);
        _ = fields.OptionalInt("attention.value_length", headSize, headSize);
        fields.Require("rope.scaling.type", "none");
        return new TransformerConfig
        {
            Family = ModelType,
            VocabularySize = vocabulary,
            Width = width,
            Layers = fields.Int("block_count", 1, TransformerConfig.MaximumLayers),
            Heads = heads,
            KeyHeads = fields.OptionalInt("attention.head_count_kv", 1, TransformerConfig.MaximumHeads) ?? heads,
            HeadSize = headSize,
            FeedForwardWidth = fields.Int("feed_forward_length", 1, TransformerConfig.MaximumFeedForwardWidth),
            ContextLength = fields.Int("context_length", 1, TransformerConfig.MaximumContext),
            Activation = Activation.SwiGlu,
            Norm = Norm.Rms,
            NormEpsilon = fields.Double("attention.layer_norm_rms_epsilon", 1e-6, 0, 1),
            AttentionBiases = fields.Has("blk.0.attn_q.bias"),
            FeedForwardBiases = fields.Has("blk.0.ffn_up.bias"),
            Rotary = new RotaryConfig(
                fields.Double("rope.freq_base", 10_000, 1, 1e12),
                fields.OptionalInt("rope.dimension_count", 2, headSize) ?? headSize),
            TiedEmbeddings = !fields.Has("output.weight"),
            BosId = BosId(fields.File.Metadata, vocabulary),
            EosIds = EosIds(fields.File.Metadata, vocabulary),
        };
    }

    internal override JsonObject Write(TransformerConfig config)
    {
        RotaryConfig positions = config.Rotary ?? throw new ArgumentException(
            $"{Architecture}: Rotary is null, and config.json of this family can't state that");
        JsonObject rotary = new() { ["rope_theta"] = positions.Theta, ["rope_type"] = "default" };
        if (positions.Dimensions != config.HeadSize)
        {
            // Readers multiply and cut, so the quotient must not be rounded down.
            double factor = positions.Dimensions / (double)config.HeadSize;
            rotary["partial_rotary_factor"] = (int)(config.HeadSize * factor) == positions.Dimensions
                ? factor
                : Math.BitIncrement(factor);
        }

        return new JsonObject
        {
            ["attention_bias"] = config.AttentionBiases,
            ["bos_token_id"] = config.BosId,
            ["eos_token_id"] = Ids(config.EosIds),
            ["head_dim"] = config.HeadSize,
            ["hidden_act"] = config.Activation == Activation.SwiGlu ? "silu" : "gelu_pytorch_tanh",
            ["hidden_size"] = config.Width,
            ["intermediate_size"] = config.FeedForwardWidth,
            ["max_position_embeddings"] = config.ContextLength,
            ["mlp_bias"] = config.FeedForwardBiases,
            ["num_attention_heads"] = config.Heads,
            ["num_hidden_layers"] = config.Layers,
            ["num_key_value_heads"] = config.KeyHeads,
            ["rms_norm_eps"] = config.NormEpsilon,
            ["rope_parameters"] = rotary,
            ["tie_word_embeddings"] = config.TiedEmbeddings,
            ["vocab_size"] = config.VocabularySize,
        };
    }

    internal override JsonObject Defaults() => new()
    {
        ["attention_dropout"] = 0.0,
        ["initializer_range"] = 0.02,
        ["pad_token_id"] = null,
        ["pretraining_tp"] = 1,
        ["use_cache"] = true,
    };

    private static IEnumerable<ParameterSpec> Attention(TransformerConfig config, int layer, string name)
    {
        (int C, int Q, int K) = (config.Width, config.Heads * config.HeadSize, config.KeyHeads * config.HeadSize);
        ParameterSpec[] all = [
            new(ParameterKind.Query, layer, name + "q_proj.weight", new Shape(Q, C)),
            new(ParameterKind.QueryBias, layer, name + "q_proj.bias", new Shape(Q)),
            new(ParameterKind.Key, layer, name + "k_proj.weight", new Shape(K, C)),
            new(ParameterKind.KeyBias, layer, name + "k_proj.bias", new Shape(K)),
            new(ParameterKind.Value, layer, name + "v_proj.weight", new Shape(K, C)),
            new(ParameterKind.ValueBias, layer, name + "v_proj.bias", new Shape(K)),
            new(ParameterKind.AttentionOutput, layer, name + "o_proj.weight", new Shape(C, Q)),
            new(ParameterKind.AttentionOutputBias, layer, name + "o_proj.bias", new Shape(C))];
        IEnumerable<ParameterSpec> some = all.Where(spec => config.AttentionBiases || spec.Shape.Rank == 2);
        return !config.QkNorm ? some : [
            .. some,
            new(ParameterKind.QueryNorm, layer, name + "q_norm.weight", new Shape(config.HeadSize)),
            new(ParameterKind.KeyNorm, layer, name + "k_norm.weight", new Shape(config.HeadSize))];
    }

    /// <summary>
    /// Reads rope_parameters, or rope_theta and rope_scaling as they were written before transformers 5.
    /// </summary>
    private static RotaryConfig ReadRotary(JsonFields fields, int headSize)
    {
        JsonFields? rotary = fields.Object("rope_parameters") ?? fields.Object("rope_scaling");
        foreach (string name in (string[])["rope_type", "type"])
        {
            Require((rotary?.OptionalString(name) ?? "default") == "default", rotary ?? fields, name, "default");
        }

        double theta = fields.Double("rope_theta", 10_000, 1, 1e12);
        double share = fields.Double("partial_rotary_factor", 1, 0, 1);
        return new RotaryConfig(
            rotary?.Double("rope_theta", theta, 1, 1e12) ?? theta,
            (int)(headSize * (rotary?.Double("partial_rotary_factor", share, 0, 1) ?? share)));
    }
}
