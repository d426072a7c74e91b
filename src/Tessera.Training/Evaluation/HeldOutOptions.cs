namespace Tessera.Training.Evaluation;

/// <summary>Says how held-out data is cut for measuring.</summary>
public sealed record HeldOutOptions
{
    /// <summary>Gets the tokens of a window.</summary>
    public required int Window { get; init; }

    /// <summary>Gets the rows of a batch, at least a window.</summary>
    public int Rows { get; init; } = 4096;

    /// <summary>Gets the bytes of text of each set after which measuring ends with the window.</summary>
    public long ByteLimit { get; init; } = long.MaxValue;
}
