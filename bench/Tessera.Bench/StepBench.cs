using System.Diagnostics;
using Tessera.Models;
using Tessera.Tensors;
using Tessera.Training.Optimizers;

namespace Tessera.Bench;

/// <summary>
/// Times whole training steps: forward, cross-entropy, backward, clipping, AdamW. Usage: step [nano|small|gpt2]
/// [f32|bf16] [steps].
/// </summary>
internal static class StepBench
{
    public static int Run(string[] arguments)
    {
        string shape = arguments.ElementAtOrDefault(0) ?? "nano";
        DType type = arguments.ElementAtOrDefault(1) == "f32" ? DType.F32 : DType.BF16;
        int steps = int.Parse(arguments.ElementAtOrDefault(2) ?? "5");
        StepShape size = StepShape.Named(shape);
        TrainingStep step = new(size, type);
        for (int i = 0; i < 3; i++)
        {
            step.Run();
        }

        List<double> seconds = [];
        for (int i = 0; i < steps; i++)
        {
            long start = Stopwatch.GetTimestamp();
            step.Run();
            seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        seconds.Sort();
        double median = seconds[seconds.Count / 2], tokens = size.Batch * size.Time;
        Console.WriteLine(
            $"{shape} {type}: {tokens / median:F0} tokens/s (median of {steps}), "
            + $"{size.FlopsPerToken * tokens / median / 1e9:F0} GFLOP/s, "
            + $"peak memory {Process.GetCurrentProcess().PeakWorkingSet64 >> 20} MiB");
        return 0;
    }
}

/// <summary>A model and batch that the notes measured PyTorch on.</summary>
internal sealed record StepShape(TransformerConfig Config, int Batch, int Time)
{
    /// <summary>Gets 6 × matrix parameters + 6 × layers × C × T: the causal half of attention.</summary>
    public double FlopsPerToken
    {
        get
        {
            double matrices = Config.VocabularySize * (double)Config.Width;
            double attention = 4.0 * Config.Width * Config.Width;
            double feedForward = (Config.Activation == Activation.SwiGlu ? 3.0 : 2.0) * Config.Width
                * Config.FeedForwardWidth;
            return (6 * (matrices + (Config.Layers * (attention + feedForward))))
                + (6.0 * Config.Layers * Config.Width * Time);
        }
    }

    public static StepShape Named(string name) => name switch
    {
        "nano" => new(Llama(4096, 256, 8, 6, 768), 16, 256),
        "small" => new(Llama(8192, 512, 8, 8, 1536), 8, 512),
        "gpt2" => new(
            new TransformerConfig
            {
                Family = "gpt2",
                VocabularySize = 50304,
                Width = 768,
                Layers = 12,
                Heads = 12,
                KeyHeads = 12,
                HeadSize = 64,
                FeedForwardWidth = 3072,
                ContextLength = 1024,
                Activation = Activation.GeluTanh,
                Norm = Norm.Layer,
                NormEpsilon = 1e-5,
                AttentionBiases = true,
                FeedForwardBiases = true,
                LearnedPositions = true,
                TiedEmbeddings = true,
            },
            4,
            256),
        _ => throw new ArgumentException($"step: shape {name}; nano, small and gpt2 are known"),
    };

    private static TransformerConfig Llama(int vocabulary, int width, int heads, int layers, int feedForward) => new()
    {
        Family = "llama",
        VocabularySize = vocabulary,
        Width = width,
        Layers = layers,
        Heads = heads,
        KeyHeads = heads,
        HeadSize = width / heads,
        FeedForwardWidth = feedForward,
        ContextLength = 1024,
        Activation = Activation.SwiGlu,
        Norm = Norm.Rms,
        NormEpsilon = 1e-5,
        Rotary = new RotaryConfig(10_000, width / heads),
        TiedEmbeddings = true,
    };
}

/// <summary>One training step on fixed random tokens.</summary>
internal sealed class TrainingStep
{
    private readonly Transformer _model;
    private readonly AdamW _optimizer;
    private readonly Segments _segments;
    private readonly int[] _ids;
    private readonly int[] _labels;

    public TrainingStep(StepShape shape, DType type)
    {
        _model = Transformer.Random(shape.Config, seed: 1);
        _model.ComputeType = type;
        _optimizer = new AdamW(_model.Parameters.All, new AdamWSettings(1e-4));
        _segments = Segments.Of([.. Enumerable.Repeat(shape.Time, shape.Batch)]);
        Random random = new(1);
        _ids = [.. Enumerable.Range(0, shape.Batch * shape.Time).Select(_ => random.Next(shape.Config.VocabularySize))];
        _labels = [.. _ids.Skip(1), _ids[0]];
    }

    public float Run()
    {
        foreach (Parameter parameter in _model.Parameters.All)
        {
            parameter.ForgetGradient();
        }

        using TensorScope scope = TensorScope.Begin();
        using Tape tape = Tape.Start();
        Tensor loss = _model.Loss(_ids, _segments, _labels, default, Ops.MeanScale(_labels)).Loss;
        tape.Backward(loss);
        double norm = Optimizer.GradientNorm(_model.Parameters.All);
        _optimizer.Step(1, Optimizer.ClipScale(norm, 1));
        return loss.Span<float>()[0];
    }
}
