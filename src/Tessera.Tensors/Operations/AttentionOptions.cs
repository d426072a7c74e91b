using Tessera.Tensors.Kernels;

namespace Tessera.Tensors;

/// <summary>Says how attention weighs keys; the defaults are those of plain causal attention.</summary>
public sealed record AttentionOptions
{
    /// <summary>Gets plain causal attention.</summary>
    public static AttentionOptions Default { get; } = new();

    /// <summary>Gets the factor of q · k; where it isn't given, 1 / sqrt(D).</summary>
    public double? Scale
    {
        get;
        init => field = value is null or > 0 and < double.PositiveInfinity
            ? value
            : throw new ArgumentOutOfRangeException(
                nameof(Scale), value, "AttentionOptions: a scale is positive and finite");
    }

    /// <summary>
    /// Gets how many keys a query sees at most, its own position included; where it isn't given, all that came before.
    /// </summary>
    public int? Window
    {
        get;
        init => field = value is null or >= 1
            ? value
            : throw new ArgumentOutOfRangeException(
                nameof(Window), value, "AttentionOptions: a window holds at least one key");
    }

    /// <summary>
    /// Gets the bound c of scores in c · tanh(s / c) (Gemma 2, arXiv 2408.00118); where it isn't given, there is none.
    /// </summary>
    public double? SoftCap
    {
        get;
        init => field = value is null or > 0 and < double.PositiveInfinity
            ? value
            : throw new ArgumentOutOfRangeException(
                nameof(SoftCap), value, "AttentionOptions: a cap is positive and finite");
    }

    /// <summary>
    /// Gets the kernels that are used without a cache, which has its own; null: <see cref="KernelSet.Default"/>.
    /// </summary>
    internal KernelSet? Kernels { get; init; }

    /// <summary>Returns the factor of q · k for heads of this size.</summary>
    internal double ScaleFor(int headSize) => Scale ?? 1 / Math.Sqrt(headSize);

    /// <summary>Returns the first position that a query at this position sees.</summary>
    internal int FirstKey(int position) => Window is { } window ? Math.Max(0, position - window + 1) : 0;
}
