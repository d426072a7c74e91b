using System.Collections.Frozen;

namespace Tessera.Inference.Sampling;

/// <summary>
/// Says how the next token is drawn from the logits; values out of range are refused where they are set.
/// </summary>
/// <remarks>
/// The steps apply in this order: logit bias, repetition penalty, presence and frequency penalties, DRY, temperature,
/// top-n-sigma, top-k, typical-p, top-p, min-p. Each filter sees the probabilities of what the ones before it have
/// left.
/// </remarks>
public sealed record SamplingOptions
{
    /// <summary>Gets the options that always take the most probable token.</summary>
    public static SamplingOptions Greedy { get; } = new() { Temperature = 0 };

    /// <summary>Gets what the logits are divided by, at least 0; 0 takes the first of the largest.</summary>
    public double Temperature { get; init => field = Within(value, 0, double.MaxValue, nameof(Temperature)); } = 1;

    /// <summary>Gets how many of the largest logits are kept, at least 1; null keeps all.</summary>
    public int? TopK
    {
        get;
        init => field = value is null or >= 1
            ? value
            : throw OutOfRange(nameof(TopK), value.Value, "at least 1, or null");
    }

    /// <summary>
    /// Gets the probability that the kept tokens reach together, in [0, 1]; 1 keeps all, 0 keeps one.
    /// </summary>
    public double TopP { get; init => field = Within(value, 0, 1, nameof(TopP)); } = 1;

    /// <summary>
    /// Gets the share of the largest probability that a token needs to be kept, in [0, 1]; 0 keeps all.
    /// </summary>
    public double MinP { get; init => field = Within(value, 0, 1, nameof(MinP)); }

    /// <summary>
    /// Gets the probability that the tokens nearest to the expected surprise reach together, in [0, 1]; 1 keeps all.
    /// </summary>
    public double TypicalP { get; init => field = Within(value, 0, 1, nameof(TypicalP)); } = 1;

    /// <summary>Gets how many standard deviations of the logits below the largest are kept; null keeps all.</summary>
    public double? TopNSigma
    {
        get;
        init => field = value is { } sigmas ? Within(sigmas, 0, double.MaxValue, nameof(TopNSigma)) : null;
    }

    /// <summary>
    /// Gets what divides the positive and multiplies the negative logits of tokens that came before; 1 does nothing.
    /// </summary>
    public double RepetitionPenalty
    {
        get;
        init => field = Within(value, double.Epsilon, double.MaxValue, nameof(RepetitionPenalty));
    } = 1;

    /// <summary>Gets what is taken once from the logit of each token of the output.</summary>
    public double PresencePenalty
    {
        get;
        init => field = Within(value, double.MinValue, double.MaxValue, nameof(PresencePenalty));
    }

    /// <summary>Gets what is taken from a token's logit for each time it stands in the output.</summary>
    public double FrequencyPenalty
    {
        get;
        init => field = Within(value, double.MinValue, double.MaxValue, nameof(FrequencyPenalty));
    }

    /// <summary>Gets what is added to the logits of single tokens, by token id; negative infinity bans one.</summary>
    public IReadOnlyDictionary<int, float> LogitBias
    {
        get;
        init => field = CheckBias(value);
    } = FrozenDictionary<int, float>.Empty;

    /// <summary>Gets the penalty on continuing a repeated sequence; null sets none.</summary>
    public DryOptions? Dry { get; init; }

    /// <summary>
    /// Gets the mirostat control that stands in place of all filters after the temperature; null uses the filters.
    /// </summary>
    public MirostatOptions? Mirostat { get; init; }

    /// <summary>Gets the seed of the draws: the same seed and logits give the same tokens.</summary>
    public ulong Seed { get; init; }

    /// <summary>Gets whether a draw depends on the tokens that came before it.</summary>
    internal bool UsesHistory => Dry is not null || UsesPenalties;

    /// <summary>Gets whether any of the counting penalties is on.</summary>
    internal bool UsesPenalties => RepetitionPenalty != 1 || PresencePenalty != 0 || FrequencyPenalty != 0;

    internal static double Within(double value, double low, double high, string name) =>
        value >= low && value <= high ? value : throw OutOfRange(name, value, $"from {low} to {high}");

    private static ArgumentOutOfRangeException OutOfRange(string name, object value, string wanted) =>
        new(name, value, $"SamplingOptions: {name} is {value}; wanted {wanted}");

    private static IReadOnlyDictionary<int, float> CheckBias(IReadOnlyDictionary<int, float> bias)
    {
        foreach ((int token, float value) in bias)
        {
            if (token < 0 || float.IsNaN(value))
            {
                throw OutOfRange(nameof(LogitBias), $"{value} for token {token}", "a token id from 0 and a number");
            }
        }

        return bias;
    }
}
