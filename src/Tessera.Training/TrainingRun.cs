using Tessera.Models;
using Tessera.Models.Checkpoints;
using Tessera.Models.Tokenizers;
using Tessera.Tensors;
using Tessera.Tensors.Files;
using Tessera.Tensors.Kernels;
using Tessera.Tensors.Memory;
using Tessera.Tensors.Threading;
using Tessera.Training.Data;
using Tessera.Training.Recipes;
using Tessera.Training.Runs;

namespace Tessera.Training;

/// <summary>
/// Makes a model by its recipe, stage after stage, in a run folder. A run that was stopped, or killed, goes on from its
/// newest checkpoint and ends with the weights, bit for bit, of one that never stopped (on the same instruction set).
/// </summary>
public sealed class TrainingRun : IDisposable
{
    private readonly RunFolder _folder;
    private readonly Recipe _recipe;
    private readonly RunLog _log;
    private readonly TimeProvider _time;
    private TrainingProgress _progress = new();

    /// <summary>Makes a run in its folder.</summary>
    /// <param name="folder">A folder made for the recipe, or one with a run to go on with.</param>
    /// <param name="display">Hears what happens; null where nobody asks.</param>
    /// <param name="time">The clock.</param>
    public TrainingRun(RunFolder folder, IProgress<RunEvent>? display, TimeProvider time)
    {
        (_folder, _recipe, _time) = (folder, folder.Recipe, time);
        _log = new RunLog(folder, display, time);
    }

    /// <summary>
    /// Trains until the recipe is done or <paramref name="cancellation"/> asks for an end, behind a checkpoint in both
    /// cases.
    /// </summary>
    /// <returns>Whether the recipe is done.</returns>
    /// <exception cref="InvalidDataException">
    /// Data, tokenizer or checkpoint are broken, or the loss isn't a number any more.
    /// </exception>
    /// <exception cref="InsufficientMemoryException">
    /// There is no memory for the recipe; nothing was begun.
    /// </exception>
    /// <exception cref="IOException">The disk is full or fails; checkpoints written before are intact.</exception>
    public bool Run(CancellationToken cancellation)
    {
        TrainingMemory.Of(_recipe).Require(AvailableMemory.Bytes());
        try
        {
            return RunStages(cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // While the tokenizer was trained or the data read: no step was taken since the last checkpoint.
            End(finished: false, "stopped while reading the data");
            return false;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _log.Dispose();

    private bool RunStages(CancellationToken cancellation)
    {
        List<string> broken = [];
        RunCheckpoint? checkpoint = _folder.Checkpoints.Newest(broken.Add);
        if (checkpoint is null && broken.Count > 0)
        {
            // To begin anew would delete them, and a disk that is mended may give them back.
            throw new InvalidDataException(
                $"{_folder.Path}: no checkpoint is whole ({broken[0]}); put back what is missing, or begin anew");
        }

        TrainingState? state = checkpoint?.State;
        RequireStage(state);
        _log.GoBackTo(state?.Step ?? -1);
        _folder.Checkpoints.RemoveAfter(state?.Step ?? -1);
        TokenizerEncoder encoder = new(Tokenizer(cancellation));
        Transformer model = ModelMaker.Create(_recipe, encoder, _recipe.Stages[0].Training.Precision);
        SampleWriter.RequireRoom(_recipe, encoder, model.Config.ContextLength);
        if (checkpoint is not null)
        {
            Restore(model, checkpoint);
        }

        // Not before: going back to the checkpoint would take them out of the metrics again.
        broken.ForEach(message => Warn($"a checkpoint is left out: {message}"));

        int first = state is null ? 0 : state.Stage;
        Announce(model, encoder, resumed: state is not null);
        for (int i = first; i < _recipe.Stages.Count; i++)
        {
            RunCheckpoint? within = i == first ? checkpoint : null;
            using TrainingStage stage = new(this, model, encoder, i, within, cancellation);
            if (!stage.Run(cancellation))
            {
                End(finished: false, "stopped behind a checkpoint");
                return false;
            }
        }

        string finished = Path.Combine(_folder.Path, "model");
        CheckpointFiles files = ModelMaker.Files(model.Config, encoder);
        Checkpoint.Save(finished, model.Config, model.Parameters.All, DType.BF16, files);
        End(finished: true, $"done; the model is in {finished}");
        return true;
    }

    internal RunFolder Folder => _folder;

    internal Recipe Recipe => _recipe;

    internal TrainingProgress Progress => _progress;

    internal TimeProvider Time => _time;

    internal void Report(RunEvent what) => _log.Report(what with { Step = _progress.Step });

    internal void Warn(string message) => Report(new Warned { Message = message });

    /// <summary>Writes a checkpoint behind everything that has been reported.</summary>
    internal void Save(CheckpointContent content)
    {
        _log.Flush();
        RunCheckpoint written = _folder.Checkpoints.Save(content);
        _progress.SavedStep = content.State.Step;
        bool best = content.State.HeldOutLoss is { } loss && loss <= content.State.BestHeldOutLoss;
        Report(new CheckpointWritten { Folder = written.Folder, Best = best });
    }

    private void RequireStage(TrainingState? state)
    {
        if (state is not null && (uint)state.Stage >= (uint)_recipe.Stages.Count)
        {
            throw new InvalidDataException(
                $"{_folder.Path}: the checkpoint of step {state.Step} is of stage {state.Stage + 1}, and the recipe "
                + $"has {_recipe.Stages.Count}: the recipe has changed");
        }
    }

    private void Restore(Transformer model, RunCheckpoint from)
    {
        using Checkpoint stored = Checkpoint.Load(from.Folder);
        try
        {
            stored.Fill(model.Parameters.All);
        }
        catch (ArgumentException wrong)
        {
            throw new InvalidDataException(
                $"{from.Folder}: is not of the recipe's model ({wrong.Message}): the recipe has changed", wrong);
        }

        _progress = TrainingProgress.Of(from.State);
        string here = KernelSet.Default.InstructionSet.ToString();
        if (from.State.InstructionSet != here)
        {
            Warn($"the run was computed with {from.State.InstructionSet} and goes on with {here}: "
                + "its weights will differ in the last bits from those of an undisturbed run");
        }
    }

    private ByteLevelBpe Tokenizer(CancellationToken cancellation)
    {
        if (File.Exists(_folder.TokenizerPath))
        {
            return ByteLevelBpe.Load(_folder.TokenizerPath);
        }

        ByteLevelBpe made = TokenizerMaker.Make(_recipe, new BadLines(_recipe.Data.BadLines), cancellation);
        AtomicFile.Write(_folder.TokenizerPath, made.ToJson());
        return made;
    }

    private void Announce(Transformer model, TokenizerEncoder encoder, bool resumed)
    {
        Budget budget = Budget.Of(_recipe, encoder.VocabularySize, []);
        _progress.Roof = MachineRoof.Flops(model.ComputeType, _time);
        _progress.FlopsPerToken = budget.Tokens > 0
            ? budget.Flops / budget.Tokens
            : Budget.Of(_recipe.Model, encoder.VocabularySize, _recipe.Stages[0].Training.Sequence, 1).Flops;
        _progress.TotalTokens = budget.Tokens;
        Report(new RunStarted
        {
            Name = _recipe.Name,
            Folder = _folder.Path,
            Resumed = resumed,
            Parameters = model.Parameters.All.Sum(p => p.Shape.Count),
            Steps = _recipe.Stages.Sum(s => s.Training.StepsFor(0)),
            Tokens = budget.Tokens,
            Flops = budget.Flops,
            InstructionSet = KernelSet.Default.InstructionSet.ToString(),
            Threads = Workers.Count,
            Roof = _progress.Roof,
            MemoryBytes = (long)TrainingMemory.Of(_recipe, encoder.VocabularySize).Bytes,
        });
    }

    private void End(bool finished, string reason) =>
        Report(new RunEnded { Finished = finished, Reason = reason, Seconds = _progress.Seconds });
}
