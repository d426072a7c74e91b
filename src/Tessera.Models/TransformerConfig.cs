using System.Runtime.CompilerServices;

namespace Tessera.Models;

/// <summary>Describes a decoder: its sizes and the choices that its family makes.</summary>
/// <remarks>
/// Each value is checked when it is set, and <see cref="Validate"/> checks them against each other. The limits are a
/// few times those of the largest models known, so that a wrong file can't make us ask the system for absurd amounts.
/// </remarks>
public sealed record TransformerConfig
{
    internal const int MaximumVocabulary = 1 << 23;
    internal const int MaximumWidth = 1 << 17;
    internal const int MaximumLayers = 4096;
    internal const int MaximumHeads = 4096;
    internal const int MaximumHeadSize = 1 << 14;
    internal const int MaximumFeedForwardWidth = 1 << 20;
    internal const int MaximumContext = 1 << 28;
    internal const int MaximumHeadsWidth = 1 << 19;
    internal const int MaximumLearnedPositions = 1 << 20;

    /// <summary>Gets the family's name, as <c>model_type</c> in config.json: llama, qwen3, gpt2.</summary>
    public required string Family { get; init; }

    /// <summary>Gets the number of tokens that the embedding knows (V).</summary>
    public required int VocabularySize { get; init => field = Within(value, 1, MaximumVocabulary); }

    /// <summary>Gets the number of channels between layers (C).</summary>
    public required int Width { get; init => field = Within(value, 1, MaximumWidth); }

    /// <summary>Gets the number of layers.</summary>
    public required int Layers { get; init => field = Within(value, 1, MaximumLayers); }

    /// <summary>Gets the number of query heads (H).</summary>
    public required int Heads { get; init => field = Within(value, 1, MaximumHeads); }

    /// <summary>Gets the number of key and value heads (K), which divides the number of query heads.</summary>
    public required int KeyHeads { get; init => field = Within(value, 1, MaximumHeads); }

    /// <summary>Gets the number of channels of a head (D).</summary>
    public required int HeadSize { get; init => field = Within(value, 1, MaximumHeadSize); }

    /// <summary>Gets the number of channels inside the feed-forward layer.</summary>
    public required int FeedForwardWidth { get; init => field = Within(value, 1, MaximumFeedForwardWidth); }

    /// <summary>
    /// Gets the number of positions that the model was made for; with learned positions it can't be exceeded.
    /// </summary>
    public required int ContextLength { get; init => field = Within(value, 1, MaximumContext); }

    /// <summary>Gets what stands between the halves of the feed-forward layer.</summary>
    public required Activation Activation { get; init; }

    /// <summary>Gets the kind of normalisation.</summary>
    public required Norm Norm { get; init; }

    /// <summary>Gets what is added to the mean square or the variance before its root is taken.</summary>
    public required double NormEpsilon { get; init => field = Within(value, 0, 1); }

    /// <summary>Gets whether each head's queries and keys are normalised (always RMS) before they are turned.</summary>
    public bool QkNorm { get; init; }

    /// <summary>Gets whether the query, key, value and output projections of attention have biases.</summary>
    public bool AttentionBiases { get; init; }

    /// <summary>Gets whether the projections of the feed-forward layer have biases.</summary>
    public bool FeedForwardBiases { get; init; }

    /// <summary>Gets the rotary positions; null where there are none.</summary>
    public RotaryConfig? Rotary { get; init; }

    /// <summary>Gets whether a learned vector for each position is added to the embedding.</summary>
    public bool LearnedPositions { get; init; }

    /// <summary>Gets whether the head is the embedding's matrix.</summary>
    public bool TiedEmbeddings { get; init; }

    /// <summary>Gets the id of the token that begins a text; null where there is none.</summary>
    public int? BosId { get; init; }

    /// <summary>Gets the ids of the tokens that end a text.</summary>
    public IReadOnlyList<int> EosIds { get; init; } = [];

    /// <summary>Checks the values against each other and returns this.</summary>
    /// <exception cref="ArgumentException">Two values don't go together; the message names both.</exception>
    public TransformerConfig Validate()
    {
        if (Heads % KeyHeads != 0)
        {
            throw new ArgumentException($"TransformerConfig: {Heads} heads can't be shared among {KeyHeads} key heads");
        }

        if (Heads * HeadSize > MaximumHeadsWidth)
        {
            throw new ArgumentException(
                $"TransformerConfig: {Heads} heads of {HeadSize} channels are more than {MaximumHeadsWidth} channels");
        }

        if (LearnedPositions && ContextLength > MaximumLearnedPositions)
        {
            throw new ArgumentException(
                $"TransformerConfig: ContextLength {ContextLength} is over "
                + $"{MaximumLearnedPositions} learned positions");
        }

        if (Rotary is { } rotary)
        {
            _ = Within(rotary.Theta, 1, 1e12, "Rotary.Theta");
            if (rotary.Dimensions < 2 || rotary.Dimensions > HeadSize || rotary.Dimensions % 2 != 0)
            {
                throw new ArgumentException(
                    $"TransformerConfig: Rotary.Dimensions {rotary.Dimensions} must be even and from 2 to HeadSize "
                    + $"{HeadSize}");
            }
        }

        if (BosId < 0 || HasNegative(EosIds))
        {
            throw new ArgumentException("TransformerConfig: a token id is negative in BosId or EosIds");
        }

        return this;
    }

    private static bool HasNegative(IReadOnlyList<int> ids)
    {
        foreach (int id in ids)
        {
            if (id < 0)
            {
                return true;
            }
        }

        return false;
    }

    private static int Within(int value, int least, int most, [CallerMemberName] string name = "") =>
        value >= least && value <= most
            ? value
            : throw new ArgumentOutOfRangeException(
                name, value, $"TransformerConfig: {name} is {value}; it must be from {least} to {most}");

    // Written so that NaN fails.
    private static double Within(double value, double least, double most, [CallerMemberName] string name = "") =>
        value >= least && value <= most
            ? value
            : throw new ArgumentOutOfRangeException(
                name, value, $"TransformerConfig: {name} is {value}; it must be from {least} to {most}");
}
