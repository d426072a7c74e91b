namespace Tessera.Inference;

/// <summary>Sets how much an engine does at once; values out of range are refused where they are set.</summary>
public sealed record EngineOptions
{
    /// <summary>Gets how many answers are written at the same time, from 1 to 1024.</summary>
    public int MaxConcurrent { get; init => field = Within(value, 1, 1024, nameof(MaxConcurrent)); } = 8;

    /// <summary>Gets how many requests may wait beside those; one more is refused.</summary>
    public int MaxWaiting { get; init => field = Within(value, 0, 1 << 20, nameof(MaxWaiting)); } = 256;

    /// <summary>
    /// Gets how many tokens of prompts go into one step at most: what a step takes longer while others wait for a
    /// token.
    /// </summary>
    public int PrefillChunk { get; init => field = Within(value, 1, 1 << 16, nameof(PrefillChunk)); } = 256;

    /// <summary>
    /// Gets how many positions the cache holds for all answers together; null takes four contexts, or as many as may be
    /// written at the same time where that is less. It always holds one context at least.
    /// </summary>
    public int? CachePositions
    {
        get;
        init => field = value is { } positions ? Within(positions, 1, 1 << 28, nameof(CachePositions)) : null;
    }

    /// <summary>
    /// Gets how many positions prompt and answer may have together; null: as many as the model was made for, which are
    /// also the most.
    /// </summary>
    public int? ContextLength
    {
        get;
        init => field = value is { } length ? Within(length, 2, 1 << 28, nameof(ContextLength)) : null;
    }

    /// <summary>Returns the positions of a context for a model that was made for so many.</summary>
    internal int ContextFor(int modelContext) => Math.Min(ContextLength ?? modelContext, modelContext);

    /// <summary>Returns the positions of the cache for a model whose context has so many.</summary>
    internal long PositionsFor(int modelContext)
    {
        int context = ContextFor(modelContext);
        return Math.Max(CachePositions ?? (long)Math.Min(4, MaxConcurrent) * context, context);
    }

    private static int Within(int value, int low, int high, string name) => value >= low && value <= high
        ? value
        : throw new ArgumentOutOfRangeException(
            name, value, $"EngineOptions: {name} is {value}; wanted from {low} to {high}");
}
