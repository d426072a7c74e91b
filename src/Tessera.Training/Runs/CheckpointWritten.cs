namespace Tessera.Training.Runs;

/// <summary>Says that a checkpoint has been written whole.</summary>
public sealed record CheckpointWritten : RunEvent
{
    /// <summary>Gets its folder.</summary>
    public required string Folder { get; init; }

    /// <summary>Gets whether its held-out loss is the lowest so far.</summary>
    public bool Best { get; init; }
}
