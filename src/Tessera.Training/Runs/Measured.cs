using Tessera.Training.Evaluation;

namespace Tessera.Training.Runs;

/// <summary>Says what held-out data costs.</summary>
public sealed record Measured : RunEvent
{
    /// <summary>Gets the result of each set.</summary>
    public required IReadOnlyList<HeldOutResult> Results { get; init; }

    /// <summary>Gets whether all of each set was measured and not only its beginning.</summary>
    public bool Whole { get; init; }

    /// <summary>Gets the mean of the sets' bits for a byte.</summary>
    public double MeanBitsPerByte => Results.Average(r => r.BitsPerByte);
}
