namespace Tessera.Training.Runs;

/// <summary>Says something that the user should know, and that didn't stop the run.</summary>
public sealed record Warned : RunEvent
{
    /// <summary>Gets the sentence.</summary>
    public required string Message { get; init; }
}
