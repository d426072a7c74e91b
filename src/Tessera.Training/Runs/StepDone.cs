namespace Tessera.Training.Runs;

/// <summary>Says what one step of the optimizer did.</summary>
public sealed record StepDone : RunEvent
{
    /// <summary>Gets the mean loss of the tokens, in nats.</summary>
    public double Loss { get; init; }

    /// <summary>Gets the learning rate.</summary>
    public double LearningRate { get; init; }

    /// <summary>Gets the norm of the gradient before clipping.</summary>
    public double GradientNorm { get; init; }

    /// <summary>Gets the tokens of the run so far.</summary>
    public long Tokens { get; init; }

    /// <summary>Gets the speed of this step.</summary>
    public double TokensPerSecond { get; init; }

    /// <summary>
    /// Gets the step's share of the measured peak of the matrix product; none where that wasn't measured.
    /// </summary>
    public double? RoofShare { get; init; }

    /// <summary>Gets the seconds that the run will still take; none where that isn't known.</summary>
    public double? SecondsLeft { get; init; }
}
