namespace Tessera.Training.Runs;

/// <summary>Says that a run has ended, or was stopped behind a checkpoint.</summary>
public sealed record RunEnded : RunEvent
{
    /// <summary>Gets whether all steps are done, or the run ended by its own rule.</summary>
    public bool Finished { get; init; }

    /// <summary>Gets the reason in words.</summary>
    public required string Reason { get; init; }

    /// <summary>Gets the seconds that the run has taken, over all its sittings.</summary>
    public double Seconds { get; init; }
}
