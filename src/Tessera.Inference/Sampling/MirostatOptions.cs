namespace Tessera.Inference.Sampling;

/// <summary>Sets mirostat 2, which steers each token's surprise to a target (arXiv 2007.14966, section 5.1).</summary>
public sealed record MirostatOptions
{
    /// <summary>Gets the surprise to hold, in bits.</summary>
    public double Target
    {
        get;
        init => field = SamplingOptions.Within(value, 0, double.MaxValue, $"Mirostat.{nameof(Target)}");
    } = 5;

    /// <summary>Gets the share of the last error that corrects the limit, in [0, 1].</summary>
    public double LearningRate
    {
        get;
        init => field = SamplingOptions.Within(value, 0, 1, $"Mirostat.{nameof(LearningRate)}");
    } = 0.1;
}
