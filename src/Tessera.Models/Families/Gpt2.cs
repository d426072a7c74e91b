using System.Text.Json.Nodes;
using Tessera.Models.Checkpoints;
using Tessera.Models.Gguf;
using Tessera.Tensors;

namespace Tessera.Models.Families;

/// <summary>GPT-2's form: layer norms, learned positions, biases, GELU, matrices stored (in, out).</summary>
public sealed class Gpt2 : ModelFamily
{
    /// <inheritdoc/>
    public override string ModelType => "gpt2";

    /// <inheritdoc/>
    public override string Architecture => "GPT2LMHeadModel";

    internal override string Prefix => "transformer.";

    /// <inheritdoc/>
    public override IEnumerable<ParameterSpec> Parameters(TransformerConfig config)
    {
        (int V, int C, int T) = (config.VocabularySize, config.Width, config.ContextLength);
        yield return new(ParameterKind.TokenEmbedding, 0, "transformer.wte.weight", new Shape(V, C));
        yield return new(ParameterKind.PositionEmbedding, 0, "transformer.wpe.weight", new Shape(T, C));
        for (int layer = 0; layer < config.Layers; layer++)
        {
            foreach (ParameterSpec spec in Layer(config, layer))
            {
                yield return spec;
            }
        }

        yield return new(ParameterKind.FinalNorm, 0, "transformer.ln_f.weight", new Shape(C));
        yield return new(ParameterKind.FinalNormBias, 0, "transformer.ln_f.bias", new Shape(C));
        if (!config.TiedEmbeddings)
        {
            yield return new(ParameterKind.Head, 0, HeadName, new Shape(V, C));
        }
    }

    // OpenAI's own checkpoints carry the causal mask of each layer.
    internal override bool IsConstant(string name) =>
        name.EndsWith(".attn.bias", StringComparison.Ordinal)
        || name.EndsWith(".attn.masked_bias", StringComparison.Ordinal);

    internal override TransformerConfig Read(JsonFields fields)
    {
        int width = fields.Int("n_embd", 1, TransformerConfig.MaximumWidth);
        int heads = fields.Int("n_head", 1, TransformerConfig.MaximumHeads);
        Require(width % heads == 0, fields, "n_head", $"a divisor of n_embd {width}");
        Require(fields.Bool("scale_attn_weights", true), fields, "scale_attn_weights", "true");
        foreach (string name in (string[])["scale_attn_by_inverse_layer_idx", "add_cross_attention"])
        {
            Require(!fields.Bool(name, false), fields, name, "false");
        }

        string activation = fields.OptionalString("activation_function") ?? "gelu_new";
        bool known = activation is "gelu_new" or "gelu_pytorch_tanh" or "gelu";
        Require(known, fields, "activation_function", "gelu_new, gelu_pytorch_tanh or gelu");
        IReadOnlyList<int> bos = fields.Ids("bos_token_id");
        return new TransformerConfig
        {
            Family = ModelType,
            VocabularySize = fields.Int("vocab_size", 1, TransformerConfig.MaximumVocabulary),
            Width = width,
            Layers = fields.Int("n_layer", 1, TransformerConfig.MaximumLayers),
            Heads = heads,
            KeyHeads = heads,
            HeadSize = width / heads,
            FeedForwardWidth = fields.OptionalInt("n_inner", 1, TransformerConfig.MaximumFeedForwardWidth) ?? 4 * width,
            ContextLength = fields.Int("n_positions", 1, TransformerConfig.MaximumContext),
            Activation = activation == "gelu" ? Activation.Gelu : Activation.GeluTanh,
            Norm = Norm.Layer,
            NormEpsilon = fields.Double("layer_norm_epsilon", 1e-5, 0, 1),
            AttentionBiases = true,
            FeedForwardBiases = true,
            LearnedPositions = true,
            TiedEmbeddings = fields.Bool("tie_word_embeddings", true),
            BosId = bos.Count > 0 ? bos[0] : null,
            EosIds = fields.Ids("eos_token_id"),
        };
    }

    internal override bool GgufInterleaves => false;

    internal override TransformerConfig Read(GgufFields fields)
    {
        int vocabulary = fields.Vocabulary;
        int width = fields.Int("embedding_length", 1, TransformerConfig.MaximumWidth);
        int heads = fields.Int("attention.head_count", 1, TransformerConfig.MaximumHeads);
        return new TransformerConfig
        {
            Family = ModelType,
            VocabularySize = vocabulary,
            Width = width,
            Layers = fields.Int("block_count", 1, TransformerConfig.MaximumLayers),
            Heads = heads,
            KeyHeads = heads,
            HeadSize = width % heads == 0 ? width / heads : throw fields.Wrong(
                "attention.head_count", $"a divisor of embedding_length {width}"),
            FeedForwardWidth = fields.Int("feed_forward_length", 1, TransformerConfig.MaximumFeedForwardWidth),
            ContextLength = fields.Int("context_length", 1, TransformerConfig.MaximumContext),
            Activation = Activation.GeluTanh,
            Norm = Norm.Layer,
            NormEpsilon = fields.Double("attention.layer_norm_epsilon", 1e-5, 0, 1),
            AttentionBiases = true,
            FeedForwardBiases = true,
            LearnedPositions = true,
            TiedEmbeddings = !fields.Has("output.weight"),
            BosId = BosId(fields.File.Metadata, vocabulary),
            EosIds = EosIds(fields.File.Metadata, vocabulary),
        };
    }

    internal override JsonObject Write(TransformerConfig config) => new()
    {
        ["activation_function"] = config.Activation == Activation.Gelu ? "gelu" : "gelu_new",
        ["bos_token_id"] = config.BosId,
        ["eos_token_id"] = Ids(config.EosIds),
        ["layer_norm_epsilon"] = config.NormEpsilon,
        ["n_embd"] = config.Width,
        ["n_head"] = config.Heads,
        ["n_inner"] = config.FeedForwardWidth == 4 * config.Width ? null : config.FeedForwardWidth,
        ["n_layer"] = config.Layers,
        ["n_positions"] = config.ContextLength,
        ["tie_word_embeddings"] = config.TiedEmbeddings,
        ["vocab_size"] = config.VocabularySize,
    };

    internal override JsonObject Defaults() => new()
    {
        ["add_cross_attention"] = false,
        ["attn_pdrop"] = 0.1,
        ["embd_pdrop"] = 0.1,
        ["initializer_range"] = 0.02,
        ["pad_token_id"] = null,
        ["reorder_and_upcast_attn"] = false,
        ["resid_pdrop"] = 0.1,
        ["scale_attn_by_inverse_layer_idx"] = false,
        ["scale_attn_weights"] = true,
        ["summary_activation"] = null,
        ["summary_first_dropout"] = 0.1,
        ["summary_proj_to_labels"] = true,
        ["summary_type"] = "cls_index",
        ["summary_use_proj"] = true,
        ["use_cache"] = true,
    };

    private static ParameterSpec[] Layer(TransformerConfig config, int layer)
    {
        (int C, int F) = (config.Width, config.FeedForwardWidth);
        string name = $"transformer.h.{layer}.";
        return [
            new(ParameterKind.AttentionNorm, layer, name + "ln_1.weight", new Shape(C)),
            new(ParameterKind.AttentionNormBias, layer, name + "ln_1.bias", new Shape(C)),
            new(ParameterKind.QueryKeyValue, layer, name + "attn.c_attn.weight", new Shape(C, 3 * C), InputMajor: true),
            new(ParameterKind.QueryKeyValueBias, layer, name + "attn.c_attn.bias", new Shape(3 * C)),
            new(ParameterKind.AttentionOutput, layer, name + "attn.c_proj.weight", new Shape(C, C), InputMajor: true),
            new(ParameterKind.AttentionOutputBias, layer, name + "attn.c_proj.bias", new Shape(C)),
            new(ParameterKind.FeedForwardNorm, layer, name + "ln_2.weight", new Shape(C)),
            new(ParameterKind.FeedForwardNormBias, layer, name + "ln_2.bias", new Shape(C)),
            new(ParameterKind.Up, layer, name + "mlp.c_fc.weight", new Shape(C, F), InputMajor: true),
            new(ParameterKind.UpBias, layer, name + "mlp.c_fc.bias", new Shape(F)),
            new(ParameterKind.Down, layer, name + "mlp.c_proj.weight", new Shape(F, C), InputMajor: true),
            new(ParameterKind.DownBias, layer, name + "mlp.c_proj.bias", new Shape(C))];
    }
}
