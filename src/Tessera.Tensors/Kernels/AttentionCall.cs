namespace Tessera.Tensors.Kernels;

/// <summary>Holds one call of attention as its kernels read it.</summary>
internal unsafe struct AttentionCall
{
    /// <summary>
    /// The keys of one step of the streaming softmax; a row's steps begin at multiples of it from its sequence's start.
    /// </summary>
    public const int BlockKeys = 128;

    /// <summary>
    /// Weights are computed as powers of 2, which takes fewer steps than powers of e: e^x = 2^(x · log2 e).
    /// </summary>
    public const double Log2E = 1.4426950408889634;

    /// <summary>The most rows of a tile, of any instruction set, rounded up to whole vectors.</summary>
    public const int MostRows = 16;

    public AttentionCall(
        Tensor q, Tensor k, Tensor v, Segments segments, AttentionOptions options, KeyValueCache? cache, int layer)
    {
        (_, Heads, HeadSize) = q.Shape;
        KeyHeads = k.Shape[1];
        Group = Heads / KeyHeads;
        Type = q.DType;
        Q = q.Data;
        K = k.Data;
        V = v.Data;
        (Segments, Cache, Layer) = (segments, cache, layer);
        Window = options.Window ?? int.MaxValue;
        double scale = options.ScaleFor(HeadSize), cap = options.SoftCap ?? 0;
        Scale = (float)scale;
        IsCapped = cap > 0;
        ProductFactor = (float)(IsCapped ? scale / cap : scale * Log2E);
        CapFactor = (float)(cap * Log2E);
        Kernels = cache?.Kernels ?? options.Kernels ?? KernelSet.Default;
        DType stored = cache?.Size.Type ?? q.DType;
        Arithmetic = Kernels.Arithmetic(stored, stored);
        Columns = Kernels.TileColumns;
        Steps = Panels.Steps(Arithmetic, HeadSize);
        ValuePanels = (HeadSize + Columns - 1) / Columns;
    }

    public KernelSet Kernels { get; }

    public Segments Segments { get; }

    public KeyValueCache? Cache { get; }

    public int Layer { get; }

    /// <summary>Gets the type of queries and of the result.</summary>
    public DType Type { get; }

    /// <summary>Gets the type that products are computed in.</summary>
    public DType Arithmetic { get; }

    public void* Q { get; }

    public void* K { get; }

    public void* V { get; }

    /// <summary>Gets or sets the result.</summary>
    public void* Y { get; set; }

    /// <summary>Gets or sets where each row's and head's log2 of the softmax's denominator goes, or null.</summary>
    public float* LogSums { get; set; }

    /// <summary>Gets or sets one logit a head, times log2 e, or null.</summary>
    public float* Sinks { get; set; }

    public int Heads { get; }

    public int KeyHeads { get; }

    public int HeadSize { get; }

    /// <summary>Gets the query heads that share a key head.</summary>
    public int Group { get; }

    public int Window { get; }

    public float Scale { get; }

    /// <summary>Gets whether the scores are bounded.</summary>
    public bool IsCapped { get; }

    /// <summary>
    /// Gets what turns products of queries and keys into exponents of 2, or, where the scores are bounded, into what
    /// tanh is taken of.
    /// </summary>
    public float ProductFactor { get; }

    /// <summary>Gets what turns the tanh into exponents of 2.</summary>
    public float CapFactor { get; }

    /// <summary>Gets the columns of a panel.</summary>
    public int Columns { get; }

    /// <summary>Gets the steps of a product over the entries of a head.</summary>
    public int Steps { get; }

    /// <summary>Gets the panels that the entries of a head fill.</summary>
    public int ValuePanels { get; }

    /// <summary>Gets whether products take pairs of bf16.</summary>
    public readonly bool Pairs => Arithmetic == DType.BF16;

    /// <summary>Returns the steps of a product over so many keys.</summary>
    public readonly int StepsOf(int keys) => Pairs ? keys / 2 : keys;

    /// <summary>Returns the first position that a query at this position sees.</summary>
    public readonly int FirstKey(int position) => Math.Max(0, (int)(position - (long)Window + 1));

    /// <summary>Returns a cursor over the lines of a run of rows, from one of them on.</summary>
    public readonly LineCursor LinesFrom(long firstRow, int keyHead, int line) =>
        new(firstRow, Heads, Group, keyHead, line);

    /// <summary>Returns a number rounded up to whole panels.</summary>
    public readonly int ToPanels(int count) => (count + Columns - 1) / Columns * Columns;
}
