namespace Tessera.Tensors.Kernels;

/// <summary>
/// Names panels to be packed: strips of <see cref="Width"/> columns of a matrix whose rows are K, and the steps that
/// <see cref="To"/>, the first panel, begins and ends with.
/// </summary>
internal readonly unsafe struct Strip(
    MatrixView source,
    DType type,
    int width,
    int firstPanel,
    int panels,
    int first,
    int last,
    byte* to,
    nint panelStride)
{
    public readonly MatrixView Source = source;
    public readonly DType Type = type;
    public readonly int Width = width, FirstPanel = firstPanel, Panels = panels, First = first, Last = last;
    public readonly byte* To = to;
    public readonly nint PanelStride = panelStride;

    /// <summary>Gets whether a step is a pair of rows.</summary>
    public bool HasPairs => Type == DType.BF16;

    /// <summary>Gets the steps that have all their rows: the last of an odd K in pairs has one only.</summary>
    public int WholeSteps => HasPairs ? Source.Rows / 2 : Source.Rows;

    /// <summary>Returns the column at which a panel begins.</summary>
    public int Column(int panel) => (FirstPanel + panel) * Width;

    /// <summary>Returns where a step of a panel goes.</summary>
    public uint* Step(int panel, int step) => (uint*)(To + (panel * PanelStride)) + ((nint)(step - First) * Width);

    /// <summary>Returns some of its panels.</summary>
    public Strip Part(int panel, int count) =>
        new(Source, Type, Width, FirstPanel + panel, count, First, Last, To + (panel * PanelStride), PanelStride);
}
