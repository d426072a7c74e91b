namespace Tessera.Training.Runs;

/// <summary>Holds what the model wrote.</summary>
public sealed record Sampled : RunEvent
{
    /// <summary>Gets the text that it went on from.</summary>
    public required string Prompt { get; init; }

    /// <summary>Gets what it wrote.</summary>
    public required string Text { get; init; }
}
