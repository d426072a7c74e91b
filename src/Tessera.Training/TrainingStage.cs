using Tessera.Models;
using Tessera.Models.Checkpoints;
using Tessera.Tensors;
using Tessera.Tensors.Files;
using Tessera.Tensors.Kernels;
using Tessera.Training.Data;
using Tessera.Training.Evaluation;
using Tessera.Training.Optimizers;
using Tessera.Training.Recipes;
using Tessera.Training.Runs;

namespace Tessera.Training;

/// <summary>
/// Runs one stage: its data, its optimizer, its steps, and between them measurements, samples and checkpoints.
/// </summary>
internal sealed class TrainingStage : IDisposable
{
    /// <summary>After so many refused steps in a row the run stops: the weights themselves must be spoilt.</summary>
    private const int MostRefused = 20;

    private readonly TrainingRun _run;
    private readonly Transformer _model;
    private readonly TokenizerEncoder _encoder;
    private readonly StageRecipe _stage;
    private readonly int _index;
    private readonly TrainingData _data;
    private readonly BatchReader _reader;
    private readonly Batch[] _batches;
    private readonly Optimizer _optimizer;
    private readonly Schedule _schedule;
    private readonly SpikeGuard _guard;
    private readonly TrainingStep _step;
    private readonly ModelEvaluation _evaluation;
    private long _stageStep;
    private double? _heldOutLoss;

    public TrainingStage(
        TrainingRun run, Transformer model, TokenizerEncoder encoder, int index, RunCheckpoint? checkpoint,
        CancellationToken cancellation)
    {
        (_run, _model, _encoder, _index, _stage) = (run, model, encoder, index, run.Recipe.Stages[index]);
        TrainingRecipe training = _stage.Training;
        _model.ComputeType = ModelMaker.TypeOf(training.Precision);
        IProgress<TokenisingProgress> reading = new ReadingProgress(run);
        BadLines badLines = new(_stage.Data.BadLines);
        _data = TrainingData.Open(run.Recipe, _stage, encoder, badLines, reading, cancellation);
        run.Folder.Save(_data.Manifest, _stage);
        if (badLines.Count > 0 && checkpoint is null)
        {
            run.Warn($"{badLines.Count} bad lines of data were skipped, first {badLines.First[0]}");
        }

        _optimizer = OptimizerMaker.Create(training, model);
        _schedule = training.ScheduleOver(_data.Steps);
        _guard = new SpikeGuard(training.Spikes == SpikeAction.Off ? double.PositiveInfinity : 8);
        double? clip = training.Clip > 0 ? training.Clip : null;
        TrainingStepOptions options = new(new LossOptions(ZLoss: training.ZLoss), clip, training.Dropout);
        _step = new TrainingStep(model, _optimizer, options, _guard);
        _reader = _data.Read(run.Recipe, _stage, encoder, checkpoint?.State.Data);
        _batches = [.. Enumerable.Range(0, training.Accumulation).Select(_ => _reader.NewBatch())];

        // Measuring must not take more memory than learning does.
        int window = run.Recipe.Evaluation.Window ?? training.Sequence;
        int rows = (int)Math.Min(4096, (long)training.Batch * training.Sequence);
        _evaluation = new ModelEvaluation(model, encoder, window, _data.HeldOut, rows);
        if (checkpoint is not null)
        {
            Restore(checkpoint);
        }
    }

    /// <summary>Makes the stage's remaining steps.</summary>
    /// <returns>Whether they are done; not where a cancellation ended them early.</returns>
    public bool Run(CancellationToken cancellation)
    {
        if (_stageStep == 0)
        {
            _run.Progress.BeginStage();
            _run.Report(new StageStarted { Name = _stage.Name, Index = _index, Steps = _data.Steps });
        }

        // A run that was killed behind the checkpoint with which a stage ended early must not go on with that stage.
        while (_stageStep < _data.Steps && !HasRisen)
        {
            if (cancellation.IsCancellationRequested)
            {
                SaveUnlessSaved();
                return false;
            }

            Step();
            bool last = _stageStep == _data.Steps;
            if (Due(_run.Recipe.Evaluation.Every, last))
            {
                Measure(last);
                last |= HasRisen;
            }

            if (Due(_run.Recipe.Samples.Every, last))
            {
                SampleWriter.Write(_run, _model, _encoder);
            }

            if (Due(_run.Recipe.Checkpoints.Every, last))
            {
                Save();
            }

            if (last)
            {
                break;
            }
        }

        return true;
    }

    public void Dispose() => _data.Dispose();

    private bool HasRisen => _run.Progress.Rises >= (_run.Recipe.Evaluation.StopAfterRises ?? int.MaxValue);

    private bool Due(long every, bool last) => last || _stageStep % every == 0;

    private void Step()
    {
        long start = _run.Time.GetTimestamp();
        foreach (Batch batch in _batches)
        {
            _reader.Next(batch);
        }

        double schedule = _schedule.At((int)_stageStep);
        ulong seed = Chance.Mix(unchecked((ulong)_run.Recipe.Seed), (ulong)_run.Progress.Step);
        StepResult result = _step.Run(_batches, schedule, seed);
        _stageStep++;
        _run.Progress.Step++;
        _run.Progress.Tokens += result.Tokens;
        double seconds = _run.Time.GetElapsedTime(start).TotalSeconds;
        _run.Progress.Seconds += seconds;
        Report(result, schedule, seconds);
        if (!result.Applied && result.Predictions > 0)
        {
            Refused(result);
        }
    }

    private void Report(StepResult result, double schedule, double seconds)
    {
        TrainingProgress progress = _run.Progress;
        double speed = result.Tokens / Math.Max(seconds, 1e-9);
        TrainingRecipe training = _stage.Training;
        double rate = training.Optimizer == OptimizerKind.Muon ? training.MatrixLearningRate : training.LearningRate;
        long left = progress.TotalTokens - progress.Tokens;
        _run.Report(new StepDone
        {
            Loss = result.Loss,
            LearningRate = rate * schedule,
            GradientNorm = result.GradientNorm,
            Tokens = progress.Tokens,
            TokensPerSecond = speed,
            RoofShare = progress.Roof > 0 ? speed * progress.FlopsPerToken / progress.Roof : null,
            SecondsLeft = left > 0 ? left * progress.Seconds / Math.Max(1, progress.Tokens) : null,
        });
    }

    private void Refused(StepResult result)
    {
        string what = $"loss {result.Loss:G4}, gradient norm {result.GradientNorm:G4}";
        if (_stage.Training.Spikes == SpikeAction.Off || _guard.Refused >= MostRefused)
        {
            string spoilt = SpoiltWeight() is { } weight ? $"; {weight}" : "";
            throw new InvalidDataException(
                $"training: step {_run.Progress.Step}: {what}, {_guard.Refused} refused in a row{spoilt}; "
                + "lower the learning rate, or look at the data of these steps; "
                + "go on from the last checkpoint with --resume");
        }

        _run.Warn($"the step was left out: {what}");
        if (_stage.Training.Spikes == SpikeAction.RollBack && _run.Folder.Checkpoints.Newest() is { } checkpoint)
        {
            RollBack(checkpoint);
        }
    }

    /// <summary>
    /// Takes the weights back, but not the data: what led to the jump is not learned again. The guard goes back with
    /// them, or it would refuse the higher losses of then.
    /// </summary>
    private void RollBack(RunCheckpoint checkpoint)
    {
        using Checkpoint stored = Checkpoint.Load(checkpoint.Folder);
        stored.Fill(_model.Parameters.All);
        if (checkpoint.State.Stage == _index)
        {
            RestoreOptimizer(checkpoint);
            RestoreGuard(checkpoint);
        }
        else
        {
            // The end of the stage before: this one began there, with an optimizer of its own.
            foreach ((string _, Tensor value) in _optimizer.State)
            {
                value.Clear();
            }

            _optimizer.Steps = 0;
            _guard.State = default;
        }

        _run.Warn($"the weights went back to step {checkpoint.State.Step}");
    }

    /// <summary>Names the first weight that is infinite or not a number; null where there is none.</summary>
    private string? SpoiltWeight()
    {
        foreach (Parameter parameter in _model.Parameters.All)
        {
            if (Finiteness.FirstWrong(parameter.Value) is { } place)
            {
                return $"tensor {parameter.Name}: value {place.Index} is {place.Value}";
            }
        }

        return null;
    }

    private void Measure(bool whole)
    {
        _heldOutLoss = null;
        if (_data.HeldOut.Count == 0)
        {
            return;
        }

        long bytes = whole ? long.MaxValue : _run.Recipe.Evaluation.Bytes;
        IReadOnlyList<HeldOutResult> results = _evaluation.Measure(bytes);
        Measured measured = new() { Results = results, Whole = whole };
        _heldOutLoss = measured.MeanBitsPerByte;
        _run.Progress.Measure(measured.MeanBitsPerByte);
        _run.Report(measured);
    }

    /// <summary>
    /// Writes a checkpoint where this step has none: another in its place would no longer say what was measured, and
    /// the best would not be known as such.
    /// </summary>
    private void SaveUnlessSaved()
    {
        if (_run.Progress.SavedStep != _run.Progress.Step)
        {
            Save();
        }
    }

    private void Save()
    {
        TrainingProgress progress = _run.Progress;
        if (SpoiltWeight() is { } weight)
        {
            // It could not be loaded, and would push out those that can.
            throw new InvalidDataException(
                $"training: step {progress.Step}: {weight}; no checkpoint was written, those before are intact: "
                + "lower the learning rate and go on from the last with --resume");
        }

        TrainingState state = new()
        {
            Step = progress.Step,
            Stage = _index,
            StageStep = _stageStep,
            Tokens = progress.Tokens,
            Data = _reader.Position,
            InstructionSet = KernelSet.Default.InstructionSet.ToString(),
            Numbers = new Dictionary<string, double>
            {
                ["optimizer_steps"] = _optimizer.Steps,
                ["guard_steps"] = _guard.State.Steps,
                ["guard_mean"] = _guard.State.Mean,
                ["guard_variance"] = _guard.State.Variance,
            },
            HeldOutLoss = _heldOutLoss,
            BestHeldOutLoss = progress.BestHeldOutLoss,
            Rises = progress.Rises,
            Seconds = progress.Seconds,
        };
        CheckpointFiles files = ModelMaker.Files(_model.Config, _encoder);
        _run.Save(new CheckpointContent(
            state,
            [.. _optimizer.State.Select(s => new StoredTensor(s.Name, s.Value, s.Value.DType))],
            folder => Checkpoint.Write(folder, _model.Config, _model.Parameters.All, DType.F32, files)));
        _heldOutLoss = null;
    }

    private void Restore(RunCheckpoint checkpoint)
    {
        _stageStep = checkpoint.State.StageStep;
        RestoreOptimizer(checkpoint);
        RestoreGuard(checkpoint);
    }

    private void RestoreGuard(RunCheckpoint checkpoint)
    {
        TrainingState state = checkpoint.State;
        _guard.State =
            ((long)state.Number("guard_steps"), state.Number("guard_mean"), state.Number("guard_variance"));
    }

    private void RestoreOptimizer(RunCheckpoint checkpoint)
    {
        using SafetensorsFile tensors = checkpoint.OpenTensors();
        foreach ((string name, Tensor value) in _optimizer.State)
        {
            if (!tensors.TryGet(name, out Tensor? stored) || stored.Shape != value.Shape || stored.DType != DType.F32)
            {
                throw new InvalidDataException(
                    $"{tensors.Path}: tensor {name} is {stored?.ToString() ?? "missing"}; the recipe's optimizer wants "
                    + $"F32 of {value.Shape}: the recipe has changed");
            }

            value.Fill<float>(stored.Span<float>());
        }

        _optimizer.Steps = (int)checkpoint.State.Number("optimizer_steps");
    }

    private sealed class ReadingProgress(TrainingRun run) : IProgress<TokenisingProgress>
    {
        public void Report(TokenisingProgress value) =>
            run.Report(new DataRead { File = value.File, TextBytes = value.TextBytes });
    }
}
