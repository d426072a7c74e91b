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
    private readonly int _rows;
    private readonly Segments _segments = new();

    /// <summary>Makes an evaluation on some sets.</summary>
    /// <param name="model">The model.</param>
    /// <param name="encoder">The tokenizer.</param>
    /// <param name="window">The tokens of a window.</param>
    /// <param name="sets">What is measured on.</param>
    /// <param name="rows">The most tokens that are computed at the same time, of several windows; no result depends on
    /// it.</param>
    public ModelEvaluation(
        Transformer model, IDocumentEncoder encoder, int window, IReadOnlyList<HeldOutSet> sets, int rows = 4096)
    {
        (_model, _encoder, _window, _sets, _rows) = (model, encoder, window, sets, rows);
    }

    /// <summary>Measures each set.</summary>
    /// <param name="byteLimit">The bytes of text of each set after which measuring ends.</param>
    /// <param name="cancellation">Stops the work.</param>
    public IReadOnlyList<HeldOutResult> Measure(
        long byteLimit = long.MaxValue, CancellationToken cancellation = default)
    {
        HeldOutOptions options = new() { Window = _window, Rows = _rows, ByteLimit = byteLimit };
        HeldOutEvaluation evaluation = new(_encoder, options);
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
