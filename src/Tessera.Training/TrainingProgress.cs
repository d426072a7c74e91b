using Tessera.Training.Runs;

namespace Tessera.Training;

/// <summary>Counts what a run has done, over all its stages and sittings.</summary>
internal sealed class TrainingProgress
{
    public long Step { get; set; }

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
        Tokens = state.Tokens,
        Seconds = state.Seconds,
        BestHeldOutLoss = state.BestHeldOutLoss,
        Rises = state.Rises,
    };

    /// <summary>Takes note of a measurement, and returns whether it is the best so far.</summary>
    public bool Measure(double loss)
    {
        bool best = BestHeldOutLoss is not { } before || loss < before;
        (BestHeldOutLoss, Rises) = best ? (loss, 0) : (BestHeldOutLoss, Rises + 1);
        return best;
    }
}
