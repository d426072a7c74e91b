using Tessera.Inference.Sampling;
using Tessera.Models;
using Tessera.Tensors;

namespace Tessera.Inference;

/// <summary>
/// Times what an engine's steps are made of: slices of prompts, and a token of each of several answers at a time, after
/// a past of a given depth. Nothing else runs, so the figures are those of the model and the sampler.
/// </summary>
public sealed class EngineSpeed : IDisposable
{
    private static readonly EngineOptions _options = new();

    private readonly Transformer _transformer;
    private readonly TransformerModel _model;
    private readonly TimeProvider _time;
    private readonly int _positions;
    private readonly int[] _blocks;
    private readonly Segments _segments = new();
    private readonly Random _random = new(1);
    private readonly SamplingWorkspace _workspace;

    /// <summary>Reserves the cache and assembles the kernels.</summary>
    /// <param name="model">The model.</param>
    /// <param name="positions">The most positions that a sequence will have.</param>
    /// <param name="parallel">The most sequences at a time.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="ContextLengthException">The model's context is shorter.</exception>
    public EngineSpeed(Transformer model, int positions, int parallel, TimeProvider time)
    {
        if (positions > model.Config.ContextLength)
        {
            throw new ContextLengthException(positions, model.Config.ContextLength);
        }

        (_transformer, _model, _time, _positions) = (model, new TransformerModel(model), time, positions);
        _workspace = new SamplingWorkspace(model.Config.VocabularySize);
        _blocks = new int[(positions + _model.BlockPositions - 1) / _model.BlockPositions];
        _model.ReserveCache(checked(_blocks.Length * parallel));
        int slice = Math.Min(_options.PrefillChunk, positions - 1);
        for (int sequence = 0; sequence < parallel; sequence++)
        {
            Prefill(sequence, 0, slice); // what was never written may hold anything, NaN too
        }

        Decode(slice, parallel, 1);
    }

    /// <summary>Times one shape.</summary>
    /// <param name="depth">How many positions of each sequence came before.</param>
    /// <param name="parallel">How many sequences there are.</param>
    /// <param name="prompt">How many tokens of each are read.</param>
    /// <param name="generate">How many tokens of each are drawn after that.</param>
    public EngineSpeedResult Measure(int depth, int parallel, int prompt, int generate)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(depth + prompt + generate, _positions);
        for (int sequence = 0; sequence < parallel; sequence++)
        {
            Prefill(sequence, 0, depth);
        }

        long start = _time.GetTimestamp();
        for (int sequence = 0; sequence < parallel; sequence++)
        {
            Prefill(sequence, depth, prompt);
        }

        double reading = Seconds(start);
        start = _time.GetTimestamp();
        Decode(depth + prompt, parallel, generate);
        double drawing = Seconds(start);

        TransformerConfig config = _transformer.Config;
        TransformerMemory memory = new(config);
        double size = _transformer.ComputeType.Size(), widths = (double)config.Heads * config.HeadSize;

        // The head is multiplied with the last row of a slice alone. Scores and values: two operations each.
        double attended = 4.0 * config.Layers * widths * (depth + ((prompt + 1) / 2.0));
        double past = depth + prompt + ((generate + 1) / 2.0);
        double entries = 2.0 * config.Layers * config.KeyHeads * config.HeadSize;
        return new EngineSpeedResult(
            depth,
            parallel,
            parallel * prompt / reading,
            parallel * generate / drawing,
            (2 * memory.HiddenParameters) + attended,
            ((memory.MultipliedParameters / parallel) + (entries * past)) * size);
    }

    /// <summary>Frees the cache.</summary>
    public void Dispose() => _model.Dispose();

    private double Seconds(long start) => Math.Max(_time.GetElapsedTime(start).TotalSeconds, 1e-9);

    private void Prefill(int sequence, int past, int count)
    {
        for (int done = 0; done < count;)
        {
            int rows = Math.Min(_options.PrefillChunk, count - done);
            _segments.Clear();
            Add(sequence, rows, past + done);
            Forward(rows);
            done += rows;
        }
    }

    private void Decode(int past, int parallel, int count)
    {
        Sampler sampler = new(SamplingOptions.Greedy);
        int vocabulary = _transformer.Config.VocabularySize;
        for (int step = 0; step < count; step++)
        {
            _segments.Clear();
            for (int sequence = 0; sequence < parallel; sequence++)
            {
                Add(sequence, 1, past + step);
            }

            using TensorScope scope = TensorScope.Begin();
            ReadOnlySpan<float> logits = Logits(parallel).Span<float>();
            for (int sequence = 0; sequence < parallel; sequence++)
            {
                sampler.Sample(logits.Slice(sequence * vocabulary, vocabulary), _workspace);
            }
        }
    }

    private void Add(int sequence, int rows, int past)
    {
        for (int i = 0; i < _blocks.Length; i++)
        {
            _blocks[i] = (sequence * _blocks.Length) + i;
        }

        _segments.Add(rows, past, _blocks);
    }

    private void Forward(int rows)
    {
        using TensorScope scope = TensorScope.Begin();
        Logits(rows);
    }

    // Which tokens they are changes no time.
    private Tensor Logits(int rows)
    {
        int[] tokens = new int[rows];
        for (int i = 0; i < rows; i++)
        {
            tokens[i] = _random.Next(_transformer.Config.VocabularySize);
        }

        return _model.Forward(tokens, _segments);
    }
}
