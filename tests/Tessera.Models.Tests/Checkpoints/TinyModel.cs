using System.Text.Json.Nodes;
using Tessera.Models.Checkpoints;
using Tessera.Models.Families;
using Tessera.Tensors;

namespace Tessera.Models.Tests.Checkpoints;

/// <summary>Makes small models' folders for tests that damage them.</summary>
internal static class TinyModel
{
    public static TransformerConfig Qwen3 { get; } = new()
    {
        Family = "qwen3",
        VocabularySize = 11,
        Width = 6,
        Layers = 2,
        Heads = 4,
        KeyHeads = 2,
        HeadSize = 4,
        FeedForwardWidth = 5,
        ContextLength = 32,
        Activation = Activation.SwiGlu,
        Norm = Norm.Rms,
        NormEpsilon = 1e-6,
        QkNorm = true,
        Rotary = new RotaryConfig(10_000, 4),
        TiedEmbeddings = true,
        BosId = 1,
        EosIds = [2],
    };

    public static TransformerConfig Gpt2 { get; } = new()
    {
        Family = "gpt2",
        VocabularySize = 7,
        Width = 4,
        Layers = 1,
        Heads = 2,
        KeyHeads = 2,
        HeadSize = 2,
        FeedForwardWidth = 16,
        ContextLength = 8,
        Activation = Activation.GeluTanh,
        Norm = Norm.Layer,
        NormEpsilon = 1e-5,
        AttentionBiases = true,
        FeedForwardBiases = true,
        LearnedPositions = true,
        TiedEmbeddings = true,
        BosId = 3,
        EosIds = [3, 4],
    };

    public static CheckpointFiles Files { get; } = new()
    {
        ChatTemplate = "{{ messages[0].content }}\n",
        Tokenizer = new TokenizerSettings { BosToken = "<s>", EosToken = "</s>", MaximumLength = 32 },
        TokenizerJson = "{}"u8.ToArray(),
    };

    /// <summary>Returns parameters with values that differ from each other, all exact in bf16 too.</summary>
    public static ParameterSet Parameters(TransformerConfig config)
    {
        int next = 0;
        return new ParameterSet(config, spec =>
        {
            Tensor tensor = Tensor.Allocate(spec.Shape, DType.F32);
            foreach (ref float value in tensor.Span<float>())
            {
                value = (next++ % 200) - 100;
            }

            return tensor;
        });
    }

    /// <summary>Writes a model's folder.</summary>
    public static void Save(string folder, TransformerConfig config, DType type = DType.F32) =>
        Checkpoint.Save(folder, config, Parameters(config).All, type, Files);

    /// <summary>Changes a field of a JSON file; the name may lead into objects, as in <c>a.b</c>.</summary>
    public static void Change(string path, string name, string? json)
    {
        JsonObject root = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        string[] names = name.Split('.');
        JsonObject owner = names[..^1].Aggregate(root, (fields, inner) => fields[inner]!.AsObject());
        owner.Remove(names[^1]);
        if (json is not null)
        {
            owner[names[^1]] = JsonNode.Parse(json);
        }

        File.WriteAllText(path, root.ToJsonString());
    }

    public static IEnumerable<ParameterSpec> Specs(TransformerConfig config) =>
        ModelFamily.Of(config.Family).Parameters(config);
}
