using Tessera.Tensors.Threading;

namespace Tessera.Tensors.Kernels;

/// <summary>Computes a rectangle of tiles from operands that tiles can read; its items are groups of tiles.</summary>
internal unsafe struct TileGrid : IParallelBody
{
    // A tile of rows passes over the panels of a block again and again, so the block should stay in the second-level cache
    // (512 KiB or more on every processor meant here) beside the rows.
    private const long BlockBytes = 384 << 10;

    // A group shorter than this (about 4 µs on Zen 4) loses too much to its claim; more groups than this gain nothing in balance.
    private const long StepsAGroup = 512;
    private const int GroupsAThread = 32;

    private int _rowGroups, _panelGroups;

    public KernelSet Kernels { get; init; }

    public DType Type { get; init; }

    /// <summary>Rows of the rectangle, in tiles of <see cref="TileRows"/>; the last may have fewer.</summary>
    public int Rows { get; init; }

    public int TileRows { get; init; }

    public int Columns { get; init; }

    /// <summary>The left operand's tiles, each <see cref="ATileStride"/> bytes after the last.</summary>
    public byte* A { get; init; }

    public nint ATileStride { get; init; }

    public nint ARowStride { get; init; }

    public nint AStep { get; init; }

    /// <summary>The right operand's panels.</summary>
    public byte* B { get; init; }

    public nint BPanelStride { get; init; }

    /// <summary>How many steps these operands hold, done in blocks of so many.</summary>
    public int Steps { get; init; }

    public int BlockSteps { get; init; }

    /// <summary>Whether the first block resumes, and the last suspends: other calls do the other steps.</summary>
    public bool Resumes { get; init; }

    public bool Suspends { get; init; }

    public byte* C { get; init; }

    public nint CRowStride { get; init; }

    /// <summary>Accumulate and StoreBFloat16, as the finished sums want it.</summary>
    public TileOptions Options { get; init; }

    public float* Bias { get; init; }

    /// <summary>Unfinished sums of every tile, where there is more than one block.</summary>
    public float* Partial { get; init; }

    private readonly int Tiles => (Rows + TileRows - 1) / TileRows;

    private readonly int PanelCount => Panels.Count(Kernels, Columns);

    private readonly int PanelsABlock => (int)Math.Max(1, BlockBytes / Math.Max(1, (long)BlockSteps * Kernels.TileColumns * 4));

    /// <summary>Computes the rectangle on all threads.</summary>
    public void Run()
    {
        long steps = (long)Tiles * PanelCount * Math.Max(1, Steps);
        long groups = Math.Clamp(steps / StepsAGroup, 1, (long)GroupsAThread * Workers.Count);
        _panelGroups = (PanelCount + PanelsABlock - 1) / PanelsABlock;
        _rowGroups = (int)Math.Clamp((groups + _panelGroups - 1) / _panelGroups, 1, Tiles);
        _panelGroups = (int)Math.Clamp((groups + _rowGroups - 1) / _rowGroups, _panelGroups, PanelCount);
        Workers.Run(_rowGroups * _panelGroups, ref this);
    }

    public readonly void Run(int index)
    {
        // Neighbouring items share panels: both cores then read the same block.
        (int panelGroup, int rowGroup) = Math.DivRem(index, _rowGroups);
        (int firstTile, int lastTile) = Part(Tiles, rowGroup, _rowGroups);
        (int firstPanel, int lastPanel) = Part(PanelCount, panelGroup, _panelGroups);
        for (int panel = firstPanel; panel < lastPanel; panel += PanelsABlock)
        {
            for (int step = 0; step == 0 || step < Steps; step += BlockSteps)
            {
                for (int tile = firstTile; tile < lastTile; tile++)
                {
                    RunPanels(tile, panel, Math.Min(panel + PanelsABlock, lastPanel), step);
                }
            }
        }
    }

    private static (int First, int Last) Part(int count, int part, int parts) =>
        ((int)((long)count * part / parts), (int)((long)count * (part + 1) / parts));

    private readonly void RunPanels(int tile, int firstPanel, int lastPanel, int step)
    {
        int width = Kernels.TileColumns;
        int row = tile * TileRows;
        int rows = Math.Min(TileRows, Rows - row);
        int lastStep = Math.Min(step + BlockSteps, Steps);
        int elementBytes = (Options & TileOptions.StoreBFloat16) != 0 ? sizeof(ushort) : sizeof(float);
        TileArguments arguments = new()
        {
            A = A + (tile * ATileStride) + (step * AStep),
            ARowStride = ARowStride,
            AStep = AStep,
            BPanelStride = BPanelStride,
            Steps = lastStep - step,
            CRowStride = CRowStride,
            Options = Options
                | (Resumes || step > 0 ? TileOptions.Resume : TileOptions.None)
                | (Suspends || lastStep < Steps ? TileOptions.Suspend : TileOptions.None),
        };
        int panels;
        for (int panel = firstPanel; panel < lastPanel; panel += panels)
        {
            panels = PanelsOfCall(rows, panel, lastPanel);
            int column = panel * width;
            arguments.B = B + (panel * BPanelStride) + ((nint)step * width * 4);
            arguments.C = C + (row * CRowStride) + ((nint)column * elementBytes);
            arguments.Bias = Bias == null ? null : Bias + column;
            arguments.Columns = Math.Min(panels * width, Columns - column);
            arguments.Partial = Partial + (((nint)tile * PanelCount) + panel) * TileRows * width;
            Kernels.Tile(Type, rows, &arguments);
        }
    }

    // Few rows take several whole panels at once.
    private readonly int PanelsOfCall(int rows, int panel, int lastPanel)
    {
        int panels = Kernels.PanelsAtOnce(rows);
        while (panels > 1 && (panel + panels > lastPanel || (panel + panels) * Kernels.TileColumns > Columns))
        {
            panels /= 2;
        }

        return panels;
    }
}
