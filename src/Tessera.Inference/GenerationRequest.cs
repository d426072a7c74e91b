using Tessera.Inference.Sampling;

namespace Tessera.Inference;

/// <summary>Asks for the continuation of a prompt.</summary>
public sealed record GenerationRequest
{
    /// <summary>The largest number of most probable tokens that a request may ask for.</summary>
    public const int MaxTopLogProbabilities = 128;

    /// <summary>Gets the tokens to continue.</summary>
    public required IReadOnlyList<int> Prompt { get; init; }

    /// <summary>Gets how tokens are drawn.</summary>
    public SamplingOptions Sampling { get; init; } = new();

    /// <summary>
    /// Gets how many tokens the answer has at most, at least 1; null lets it run to the end of the context.
    /// </summary>
    public int? MaxTokens
    {
        get;
        init => field = value is null or >= 1
            ? value
            : throw Refused(nameof(MaxTokens), $"{value}", "at least 1, or null");
    }

    /// <summary>Gets the tokens that end the answer and aren't part of it.</summary>
    public IReadOnlyList<int> StopTokens { get; init; } = [];

    /// <summary>Gets the texts that end the answer; nothing of them is given out.</summary>
    public IReadOnlyList<string> StopStrings
    {
        get;
        init => field = value.All(IsText) ? value : throw Refused(
            nameof(StopStrings), "an empty string or half a character", "whole characters");
    } = [];

    /// <summary>
    /// Gets how many of the most probable tokens are reported at each place beside the one drawn, from 0; null reports
    /// no log-probabilities.
    /// </summary>
    public int? TopLogProbabilities
    {
        get;
        init => field = value is null or (>= 0 and <= MaxTopLogProbabilities)
            ? value
            : throw Refused(nameof(TopLogProbabilities), $"{value}", $"from 0 to {MaxTopLogProbabilities}, or null");
    }

    /// <summary>Gets which of several answers to the same prompt this is: each has draws of its own.</summary>
    public int Answer { get; init; }

    // A stop that began with half a character could cut a character of the answer in two.
    private static bool IsText(string text) => text.Length > 0
        && !text.Where((_, i) => char.IsSurrogate(text, i) && !char.IsSurrogatePair(text, i)
            && (i == 0 || !char.IsSurrogatePair(text, i - 1))).Any();

    private static ArgumentException Refused(string name, string came, string wanted) =>
        new($"GenerationRequest: {name} is {came}; wanted {wanted}", name);
}
