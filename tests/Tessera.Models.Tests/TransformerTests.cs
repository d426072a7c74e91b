using System.Text.Json;
using Tessera.Models.Checkpoints;
using Tessera.Tensors;
using Tessera.Tensors.Files;
using Tessera.Testing;
using Xunit;

namespace Tessera.Models.Tests;

/// <summary>
/// Holds the decoder to transformers' logits and gradients of the tiny models that it saved (goldens/hf-folders).
/// </summary>
public sealed class TransformerTests
{
    public static TheoryData<string> Folders()
    {
        string? root = SharedFiles.TryPath("goldens/hf-folders");
        return root is null ? ["absent"] : [.. Directory.GetDirectories(root).Select(f => Path.GetFileName(f)).Order()];
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void LogitsMatchTransformers(string name)
    {
        using Checkpoint checkpoint = Checkpoint.Load(SharedFiles.Path($"goldens/hf-folders/{name}"));
        using SafetensorsFile expected = SafetensorsFile.Open(
            SharedFiles.Path("goldens/hf-folders/logits.safetensors"));
        Transformer model = Load(checkpoint);
        using TensorScope scope = TensorScope.Begin();
        (int[] ids, Segments segments) = Batch(expected[$"{name}.ids"]);
        Tensor logits = model.Logits(model.Forward(ids, segments));
        Close.ToLargest(Doubles(expected[$"{name}.logits"]), Doubles(logits), Limits.FolderLogits, $"{name} logits");
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void GradientsMatchTransformers(string name)
    {
        using JsonDocument json = JsonDocument.Parse(
            File.ReadAllText(SharedFiles.Path("goldens/hf-folders/expected.json")));
        if (!json.RootElement.GetProperty("loss").TryGetProperty(name, out JsonElement loss))
        {
            Assert.Skip($"the reference has gradients of {json.RootElement.GetProperty("loss")} only");
        }

        using Checkpoint checkpoint = Checkpoint.Load(SharedFiles.Path($"goldens/hf-folders/{name}"));
        using SafetensorsFile file = SafetensorsFile.Open(SharedFiles.Path("goldens/hf-folders/logits.safetensors"));
        using SafetensorsFile gradients = SafetensorsFile.Open(
            SharedFiles.Path("goldens/hf-folders/gradients.safetensors"));
        Transformer model = Load(checkpoint);
        using TensorScope scope = TensorScope.Begin();
        using Tape tape = Tape.Start();
        (int[] ids, Segments segments) = Batch(file[$"{name}.ids"]);
        int T = segments.Length(0);
        int[] labels = [.. ids.Select((_, i) => (i + 1) % T == 0 ? LossOptions.Masked : ids[i + 1])];
        Tensor value = model.Loss(ids, segments, labels, default, Ops.MeanScale(labels)).Loss;
        Assert.Equal(loss.GetDouble(), value.Span<float>()[0], Limits.TrainingLoss);
        tape.Backward(value);
        foreach (Parameter parameter in model.Parameters.All)
        {
            Close.ToLargest(
                Doubles(gradients[$"{name}.{parameter.Name}"]), Doubles(parameter.Gradient!), Limits.FolderGradients,
                $"{name} {parameter.Name}");
        }
    }

    /// <summary>
    /// Three sequences with different pasts in one call, one decoding and two in prefill, each with the bits of its run
    /// alone.
    /// </summary>
    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.BF16)]
    public void RaggedBatchEqualsEachAlone(DType type)
    {
        using Checkpoint checkpoint = Checkpoint.Load(SharedFiles.Path("goldens/hf-folders/qwen3"));
        Transformer model = Load(checkpoint);
        model.ComputeType = type;
        (int Past, int Length)[] sequences = [(37, 1), (5, 40), (0, 9)];
        Random random = new(3);
        int[][] tokens = [.. sequences.Select(s => Enumerable.Range(0, s.Past + s.Length)
            .Select(_ => random.Next(model.Config.VocabularySize)).ToArray())];
        float[][] alone = [.. sequences.Select((s, i) => Alone(model, tokens[i], s.Past))];

        using KeyValueCache cache = model.CreateCache(blocks: 16);
        int block = 0;
        int[][] blocks = [.. sequences.Select(s => Enumerable.Range(0, Blocks(cache, s.Past + s.Length))
            .Select(_ => block++).ToArray())];
        using TensorScope scope = TensorScope.Begin();
        for (int i = 0; i < sequences.Length; i++)
        {
            Segments past = new();
            past.Add(sequences[i].Past, 0, blocks[i]);
            model.Forward(tokens[i].AsSpan(0, sequences[i].Past), past, cache);
        }

        Segments together = new();
        List<int> ids = [];
        for (int i = 0; i < sequences.Length; i++)
        {
            together.Add(sequences[i].Length, sequences[i].Past, blocks[i]);
            ids.AddRange(tokens[i].Skip(sequences[i].Past));
        }

        Tensor logits = model.Logits(model.Forward(ids.ToArray(), together, cache));
        Assert.Equal(alone.SelectMany(l => l), logits.ToArray<float>());
    }

    private static int Blocks(KeyValueCache cache, int positions) =>
        (positions + cache.Size.BlockPositions - 1) / cache.Size.BlockPositions;

    /// <summary>Returns the logits of the rows after the past, of the whole sequence run in one call.</summary>
    private static float[] Alone(Transformer model, int[] tokens, int past)
    {
        using TensorScope scope = TensorScope.Begin();
        Tensor logits = model.Logits(model.Forward(tokens, Segments.Of(tokens.Length)));
        return logits.Span<float>()[(past * model.Config.VocabularySize)..].ToArray();
    }

    private static Transformer Load(Checkpoint checkpoint) =>
        new(checkpoint.Config, new ParameterSet(checkpoint.Config, spec => checkpoint.Copy(spec, DType.F32)));

    private static (int[] Ids, Segments Segments) Batch(Tensor ids)
    {
        (int B, int T) = ids.Shape;
        return (ids.ToArray<int>(), Segments.Of([.. Enumerable.Repeat(T, B)]));
    }

    private static double[] Doubles(Tensor x) => [.. x.ToArray<float>().Select(v => (double)v)];
}
