using System.Text.Json;
using Tessera.Models;
using Tessera.Tensors;
using Tessera.Tensors.Files;
using Tessera.Testing;

namespace Tessera.Training.Tests;

/// <summary>Reads goldens/training: three small models, their batches, and what PyTorch made of them.</summary>
internal sealed class TrainingGoldens : IDisposable
{
    private readonly JsonDocument _json = JsonDocument.Parse(
        File.ReadAllText(SharedFiles.Path("goldens/training/training.json")));
    private readonly SafetensorsFile _batches = SafetensorsFile.Open(
        SharedFiles.Path("goldens/training/batches.safetensors"));

    public JsonElement Root => _json.RootElement;

    public int Steps => Root.GetProperty("steps").GetInt32();

    public static IEnumerable<string> Models()
    {
        if (SharedFiles.TryPath("goldens/training/training.json") is not { } path)
        {
            return ["absent"];
        }

        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(path));
        return [.. json.RootElement.GetProperty("models").EnumerateObject().Select(m => m.Name)];
    }

    public JsonElement Model(string name) => Root.GetProperty("models").GetProperty(name);

    public static SafetensorsFile Gradients(string name) => Open($"{name}.gradients.safetensors");

    public static SafetensorsFile Final(string name) => Open($"{name}.final.safetensors");

    public Transformer Load(string name)
    {
        JsonElement c = Root.GetProperty("config").GetProperty("models").GetProperty(name);
        int Int(string field) => c.GetProperty(field).GetInt32();
        bool gpt2 = c.TryGetProperty("positions", out JsonElement positions);
        int width = Int("d"), heads = Int("heads"), time = Root.GetProperty("time").GetInt32();
        TransformerConfig config = new()
        {
            Family = gpt2 ? "gpt2" : "llama",
            VocabularySize = Int("vocab"),
            Width = width,
            Layers = Int("layers"),
            Heads = heads,
            KeyHeads = gpt2 ? heads : Int("kv_heads"),
            HeadSize = width / heads,
            FeedForwardWidth = gpt2 ? 4 * width : Int("ffn"),
            ContextLength = gpt2 ? positions.GetInt32() : time,
            Activation = gpt2 ? Activation.GeluTanh : Activation.SwiGlu,
            Norm = gpt2 ? Norm.Layer : Norm.Rms,
            NormEpsilon = c.GetProperty("eps").GetDouble(),
            AttentionBiases = gpt2,
            FeedForwardBiases = gpt2,
            LearnedPositions = gpt2,
            Rotary = gpt2 ? null : new RotaryConfig(c.GetProperty("theta").GetDouble(), width / heads),
            TiedEmbeddings = gpt2 || c.GetProperty("tied").GetBoolean(),
        };
        using SafetensorsFile file = Open($"{name}.safetensors");
        return new Transformer(config, new ParameterSet(config, spec =>
        {
            Tensor value = Tensor.Allocate(spec.Shape, DType.F32);
            value.Fill<float>(file[spec.Name].Span<float>());
            return value;
        }));
    }

    /// <summary>
    /// Returns one step's tokens as a batch of whole sequences; labels are the next token, and the last row of each has
    /// none.
    /// </summary>
    public Batch Step(int step, bool masked = false)
    {
        (_, int B, int T) = _batches["tokens"].Shape;
        int[] ids = _batches["tokens"].Span<int>().Slice(step * B * T, B * T).ToArray();
        int[] marks = masked ? _batches["masked_labels"].ToArray<int>() : ids;
        int[] labels = new int[ids.Length];
        for (int i = 0; i < labels.Length; i++)
        {
            labels[i] = (i + 1) % T == 0 ? LossOptions.Masked : marks[i + 1];
        }

        return new Batch(ids, labels, Segments.Of([.. Enumerable.Repeat(T, B)]));
    }

    public void Dispose()
    {
        _json.Dispose();
        _batches.Dispose();
    }

    private static SafetensorsFile Open(string name) =>
        SafetensorsFile.Open(SharedFiles.Path($"goldens/training/{name}"));

    internal sealed record Batch(int[] Ids, int[] Labels, Segments Segments);
}
