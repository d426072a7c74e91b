using Tessera.Training.Runs;

namespace Tessera.Training;

/// <summary>Counts what a run has done, over all its stages and sittings.</summary>
internal sealed class TrainingProgress
{
    public long Step { get; set; }

    /// <summary>Gets or sets the step of the last checkpoint; -1 before the first.</summary>
    public long SavedStep { get; set; } = -1;

    public long Tokens { get; set; }

    public long TotalTokens { get; set; }

    public double Seconds { get; set; }

    public double? BestHeldOutLoss { get; set; }

    public int Rises { get; set; }

    public double Roof { get; set; }

    public double FlopsPerToken { get; set; }

    public static TrainingProgress Of(TrainingState state) => new()
    {
        Step = state.Step,
        SavedStep = state.Step,
        Tokens = state.Tokens,
        Seconds = state.Seconds,
        BestHeldOutLoss = state.BestHeldOutLoss,
        Rises = state.Rises,
    };

    /// <summary>Forgets the measurements of the stage before: this one may be measured on other data.</summary>
    public void BeginStage() => (BestHeldOutLoss, Rises) = (null, 0);

    /// <summary>Takes note of a measurement, and returns whether it is the best so far.</summary>
    public bool Measure(double loss)
    {
        bool best = BestHeldOutLoss is not { } before || loss < before;
        (BestHeldOutLoss, Rises) = best ? (loss, 0) : (BestHeldOutLoss, Rises + 1);
        return best;
    }
}
