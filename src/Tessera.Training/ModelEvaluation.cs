using Tessera.Models;
using Tessera.Tensors;
using Tessera.Training.Data;
using Tessera.Training.Evaluation;

namespace Tessera.Training;

/// <summary>Measures a model on held-out data.</summary>
public sealed class ModelEvaluation
{
    private readonly Transformer _model;
    private readonly IDocumentEncoder _encoder;
    private readonly int _window;
    private readonly IReadOnlyList<HeldOutSet> _sets;
    private readonly Segments _segments = new();

    /// <summary>Makes an evaluation on some sets, in windows of so many tokens.</summary>
    public ModelEvaluation(Transformer model, IDocumentEncoder encoder, int window, IReadOnlyList<HeldOutSet> sets)
    {
        (_model, _encoder, _window, _sets) = (model, encoder, window, sets);
    }

    /// <summary>Measures each set.</summary>
    /// <param name="byteLimit">The bytes of text of each set after which measuring ends.</param>
    /// <param name="cancellation">Stops the work.</param>
    public IReadOnlyList<HeldOutResult> Measure(long byteLimit = long.MaxValue, CancellationToken cancellation = default)
    {
        HeldOutEvaluation evaluation = new(_encoder, new HeldOutOptions { Window = _window, ByteLimit = byteLimit });
        return [.. _sets.Select(set => evaluation.Measure(set, Losses, cancellation))];
    }

    private void Losses(Batch batch, Span<float> losses)
    {
        _segments.Clear();
        foreach (int length in batch.SegmentLengths)
        {
            _segments.Add(length);
        }

        using TensorScope scope = TensorScope.Begin();
        Tensors.TokenLosses result = _model.Loss(batch.Tokens, _segments, batch.Labels, default, scale: 1);
        ReadOnlySpan<float> logProbabilities = result.LogProbabilities.Span<float>();
        for (int i = 0; i < losses.Length; i++)
        {
            losses[i] = -logProbabilities[i];
        }
    }
}
