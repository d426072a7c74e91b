using Tessera.Models;
using Tessera.Models.Layers;
using Tessera.Tensors;
using Tessera.Training.Data;
using Tessera.Training.Optimizers;

namespace Tessera.Training;

/// <summary>
/// One step of training, the same for pretraining and fine-tuning: the gradient of each micro-batch, weighted by its
/// predictions, then clipping, then the optimizer.
/// </summary>
public sealed class TrainingStep
{
    private readonly Transformer _model;
    private readonly Optimizer _optimizer;
    private readonly TrainingStepOptions _options;
    private readonly SpikeGuard _guard;
    private readonly Dropout _dropout;
    private readonly Segments _segments = new();

    /// <summary>Makes the step of a run.</summary>
    public TrainingStep(Transformer model, Optimizer optimizer, TrainingStepOptions options, SpikeGuard guard)
    {
        (_model, _optimizer, _options, _guard) = (model, optimizer, options, guard);
        _dropout = new Dropout(options.Dropout);
    }

    /// <summary>Makes one step.</summary>
    /// <param name="batches">The micro-batches.</param>
    /// <param name="schedule">What the learning rates are multiplied by.</param>
    /// <param name="seed">Makes this step's dropout.</param>
    public StepResult Run(IReadOnlyList<Batch> batches, double schedule, ulong seed)
    {
        int predictions = 0, tokens = 0;
        for (int i = 0; i < batches.Count; i++)
        {
            predictions += batches[i].Predictions;
            tokens += batches[i].Rows;
        }

        if (predictions == 0)
        {
            return new StepResult(0, 0, tokens, 0, Applied: false);
        }

        double loss = Gradients(batches, 1.0 / predictions, seed);
        double norm = Optimizer.GradientNorm(_model.Parameters.All);
        bool applied = _guard.Accepts(loss, norm);
        if (applied)
        {
            _optimizer.Step(schedule, Optimizer.ClipScale(norm, _options.Clip));
        }

        return new StepResult(loss, norm, tokens, predictions, applied);
    }

    private double Gradients(IReadOnlyList<Batch> batches, double scale, ulong seed)
    {
        double sum = 0;
        IReadOnlyList<Parameter> parameters = _model.Parameters.All;
        for (int i = 0; i < parameters.Count; i++)
        {
            parameters[i].ForgetGradient();
        }

        for (int b = 0; b < batches.Count; b++)
        {
            _dropout.Begin(unchecked(seed + (ulong)b));
            sum += Gradient(batches[b], scale);
            for (int i = 0; i < parameters.Count && batches.Count > 1; i++)
            {
                parameters[i].BankGradient();
            }
        }

        for (int i = 0; i < parameters.Count && batches.Count > 1; i++)
        {
            parameters[i].CollectGradient();
        }

        return sum;
    }

    /// <summary>
    /// Computes the gradient of scale · Σ loss over one micro-batch, and returns its cross-entropy's share of the mean.
    /// </summary>
    private double Gradient(Batch batch, double scale)
    {
        _segments.Clear();
        foreach (int length in batch.SegmentLengths)
        {
            _segments.Add(length);
        }

        using TensorScope scope = TensorScope.Begin();
        using Tape tape = Tape.Start();
        TokenLosses losses = _model.Loss(
            batch.Tokens, _segments, batch.Labels, batch.Weights, scale, _options.Loss, _dropout);
        tape.Backward(losses.Loss);

        // What is reported is plain cross-entropy; smoothing and z-loss are means to an end.
        double sum = 0;
        foreach (float logProbability in losses.LogProbabilities.Span<float>())
        {
            sum -= logProbability;
        }

        return sum * scale;
    }
}
