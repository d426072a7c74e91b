namespace Tessera.Training.Runs;

/// <summary>Says that a stage begins.</summary>
public sealed record StageStarted : RunEvent
{
    /// <summary>Gets the stage's name.</summary>
    public required string Name { get; init; }

    /// <summary>Gets its place, from 0.</summary>
    public int Index { get; init; }

    /// <summary>Gets the number of its steps.</summary>
    public long Steps { get; init; }
}
