using Tessera.Models;

namespace Tessera.Training.Recipes;

/// <summary>Describes the model that a recipe makes.</summary>
public sealed record ModelRecipe
{
    /// <summary>Gets the family whose form the model has: qwen3, llama or gpt2.</summary>
    public string Family { get; init => field = Known(value); } = "qwen3";

    /// <summary>Gets the number of layers.</summary>
    public int Layers { get; init => field = Check.Within(value, 1, 1024); } = 6;

    /// <summary>Gets the number of channels between layers, C.</summary>
    public int Width { get; init => field = Check.Within(value, 8, 1 << 16); } = 256;

    /// <summary>Gets the number of query heads, H.</summary>
    public int Heads { get; init => field = Check.Within(value, 1, 1024); } = 8;

    /// <summary>Gets the number of key and value heads, K; as many as query heads where nothing is said.</summary>
    public int? KeyHeads { get; init => field = Check.Within(value, 1, 1024); }

    /// <summary>Gets the channels of a head, D; the width over the heads where nothing is said.</summary>
    public int? HeadSize { get; init => field = Check.Within(value, 2, 1024); }

    /// <summary>
    /// Gets the channels inside the feed-forward layer; where nothing is said 8/3 of the width, rounded up to a
    /// multiple of 32.
    /// </summary>
    public int? Hidden { get; init => field = Check.Within(value, 1, 1 << 18); }

    /// <summary>
    /// Gets the positions that the model is made for; the longest sequence of the training where nothing is said.
    /// </summary>
    public int? Context { get; init => field = Check.Within(value, 1, 1 << 22); }

    /// <summary>Gets whether the head is the embedding's matrix.</summary>
    public bool Tied { get; init; } = true;

    /// <summary>Gets the base of the rotary wavelengths.</summary>
    public double RopeBase { get; init => field = Check.Within(value, 1, 1e12); } = 10_000;

    /// <summary>Gets what is added to the mean square before its root is taken.</summary>
    public double NormEpsilon { get; init => field = Check.Within(value, 0, 1); } = 1e-6;

    /// <summary>
    /// Gets the standard deviation of the first weights; those of output and down projections are divided by
    /// √(2 × layers).
    /// </summary>
    public double InitialDeviation { get; init => field = Check.Within(value, 0, 10); } = 0.02;

    /// <summary>Gets the key heads, stated or derived.</summary>
    internal int ActualKeyHeads => KeyHeads ?? Heads;

    /// <summary>Gets the head size, stated or derived.</summary>
    internal int ActualHeadSize => HeadSize ?? Width / Heads;

    /// <summary>Gets the hidden size, stated or derived.</summary>
    internal int ActualHidden => Hidden ?? ((8 * Width / 3) + 31) / 32 * 32;

    /// <summary>Returns the model's configuration.</summary>
    /// <param name="vocabularySize">The ids of the tokenizer, V.</param>
    /// <param name="context">The positions that the model is made for.</param>
    /// <param name="endIds">The ids that end a text, the first of which also begins one.</param>
    public TransformerConfig ToConfig(int vocabularySize, int context, IReadOnlyList<int> endIds)
    {
        bool gpt2 = Family == "gpt2";
        return new TransformerConfig
        {
            Family = Family,
            VocabularySize = vocabularySize,
            Width = Width,
            Layers = Layers,
            Heads = Heads,
            KeyHeads = ActualKeyHeads,
            HeadSize = ActualHeadSize,
            FeedForwardWidth = ActualHidden,
            ContextLength = context,
            Activation = gpt2 ? Activation.GeluTanh : Activation.SwiGlu,
            Norm = gpt2 ? Norm.Layer : Norm.Rms,
            NormEpsilon = NormEpsilon,
            QkNorm = Family == "qwen3",
            AttentionBiases = gpt2,
            FeedForwardBiases = gpt2,
            Rotary = gpt2 ? null : new RotaryConfig(RopeBase, ActualHeadSize),
            LearnedPositions = gpt2,
            TiedEmbeddings = Tied,
            BosId = endIds.Count > 0 ? endIds[0] : null,
            EosIds = endIds,
        }.Validate();
    }

    internal void Validate()
    {
        if (HeadSize is null && Width % Heads != 0)
        {
            throw new ArgumentException(
                $"model: width {Width} can't be shared among {Heads} heads; state head_size, or change one");
        }

        if (Heads % ActualKeyHeads != 0)
        {
            throw new ArgumentException($"model: {Heads} heads can't be shared among {KeyHeads} key_heads");
        }

        if (Family == "gpt2" && (ActualKeyHeads != Heads || ActualHeadSize * Heads != Width))
        {
            throw new ArgumentException(
                $"model: {Heads} heads of {ActualHeadSize} channels and {ActualKeyHeads} key_heads in a width of "
                + $"{Width}; the heads of gpt2 share the width, state neither head_size nor key_heads");
        }

        if (ActualHeadSize % 2 != 0)
        {
            throw new ArgumentException(
                $"model: a head of {ActualHeadSize} channels has no pairs to turn; head_size must be even");
        }
    }

    private static string Known(string value) =>
        value is "qwen3" or "llama" or "gpt2" ? value : throw Check.Wrong("family", value, "qwen3, llama or gpt2");
}
