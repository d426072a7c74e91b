namespace Tessera.Training.Runs;

/// <summary>Says how far data has been read and tokenised, before or between the steps.</summary>
public sealed record DataRead : RunEvent
{
    /// <summary>Gets the file.</summary>
    public required string File { get; init; }

    /// <summary>Gets the bytes of text so far.</summary>
    public long TextBytes { get; init; }
}
