using System.Collections.Frozen;

namespace Tessera.Inference.Sampling;

/// <summary>
/// Sets the DRY penalty: a token that would continue a repeated sequence loses more the longer the repeat is.
/// </summary>
public sealed record DryOptions
{
    /// <summary>Gets the penalty of the shortest repeat that counts, at least 0; 0 switches DRY off.</summary>
    public double Multiplier
    {
        get;
        init => field = SamplingOptions.Within(value, 0, double.MaxValue, $"Dry.{nameof(Multiplier)}");
    } = 0.8;

    /// <summary>Gets the factor for each further token of the repeat; below 1 switches DRY off.</summary>
    public double Base
    {
        get;
        init => field = SamplingOptions.Within(value, 0, double.MaxValue, $"Dry.{nameof(Base)}");
    } = 1.75;

    /// <summary>Gets the length of the shortest repeat that is penalised, in tokens, at least 1.</summary>
    public int AllowedLength
    {
        get;
        init => field = (int)SamplingOptions.Within(value, 1, int.MaxValue, $"Dry.{nameof(AllowedLength)}");
    } = 2;

    /// <summary>Gets how many of the last tokens are searched for repeats; null searches all.</summary>
    public int? LastTokens
    {
        get;
        init => field = value is { } count
            ? (int)SamplingOptions.Within(count, 0, int.MaxValue, $"Dry.{nameof(LastTokens)}")
            : null;
    }

    /// <summary>Gets the tokens that end a repeat, such as line breaks and quotes; none of them is penalised.</summary>
    public IReadOnlySet<int> Breakers { get; init; } = FrozenSet<int>.Empty;

    internal bool IsOn => Multiplier > 0 && Base >= 1 && LastTokens is not 0;
}
