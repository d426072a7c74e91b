using System.Runtime.CompilerServices;
using Tessera.Tensors.Threading;

namespace Tessera.Tensors.Kernels;

/// <summary>Computes a rectangle of tiles from operands that tiles can read; its items are groups of tiles.</summary>
internal unsafe struct TileGrid : IParallelBody
{
    // A tile of rows passes over the panels of a block again and again, so the block should stay in the second-level
    // cache (512 KiB or more on every processor meant here) beside the rows.
    private const long BlockBytes = 384 << 10;

    // A group shorter than this (about 4 µs on Zen 4) loses too much to its claim; more groups than this gain nothing
    // in balance.
    private const long StepsAGroup = 512;
    private const int GroupsAThread = 32;

    // What a thread packs of A for a group: it stays in the second-level cache beside a panel.
    private const long LeftBytes = 256 << 10;

    private int _rowGroups, _panelGroups;

    public KernelSet Kernels { get; init; }

    public DType Type { get; init; }

    public Left Left { get; init; }

    /// <summary>Rows of a tile; the last may have fewer.</summary>
    public int TileRows { get; init; }

    public int Steps { get; init; }

    /// <summary>The panels of the right operand.</summary>
    public byte* B { get; init; }

    public nint BPanelStride { get; init; }

    public MatrixView C { get; init; }

    /// <summary>What is done with the sums; Resume and Suspend where other calls do the other steps.</summary>
    public TileOptions Options { get; init; }

    public float* Bias { get; init; }

    /// <summary>Unfinished sums of every tile, where other calls do the other steps.</summary>
    public float* Partial { get; init; }

    private readonly int Tiles => (C.Rows + TileRows - 1) / TileRows;

    private readonly int PanelCount => Panels.Count(Kernels, C.Columns);

    private readonly int PanelsABlock =>
        (int)Math.Max(1, BlockBytes / Math.Max(1, (long)Steps * Kernels.TileColumns * 4));

    /// <summary>Computes the rectangle on all threads.</summary>
    public void Run()
    {
        long steps = (long)Tiles * PanelCount * Math.Max(1, Steps);
        int groups = (int)Math.Clamp(steps / StepsAGroup, 1, (long)GroupsAThread * Workers.Count);
        if (Left.Packs)
        {
            // Few groups across the panels: each packs its rows again.
            int most = (int)Math.Max(1, LeftBytes / Math.Max(1, Left.TileStride));
            _rowGroups = Math.Clamp(Math.Max(groups, (Tiles + most - 1) / most), 1, Tiles);
            _panelGroups = Math.Clamp(Math.Min(groups, 4 * Workers.Count) / _rowGroups, 1, PanelCount);
        }
        else
        {
            _panelGroups = (PanelCount + PanelsABlock - 1) / PanelsABlock;
            _rowGroups = Math.Clamp((groups + _panelGroups - 1) / _panelGroups, 1, Tiles);
            _panelGroups = Math.Clamp((groups + _rowGroups - 1) / _rowGroups, _panelGroups, PanelCount);
        }

        Workers.Run(_rowGroups * _panelGroups, ref this);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public readonly void Run(int index)
    {
        // Neighbouring items share panels: all cores then read the same block.
        (int panelGroup, int rowGroup) = Math.DivRem(index, _rowGroups);
        (int firstTile, int lastTile) = Part(Tiles, rowGroup, _rowGroups);
        (int firstPanel, int lastPanel) = Part(PanelCount, panelGroup, _panelGroups);
        byte* a = PrepareLeft(firstTile, lastTile);
        for (int panel = firstPanel; panel < lastPanel; panel += PanelsABlock)
        {
            for (int tile = firstTile; tile < lastTile; tile++)
            {
                byte* rows = a + ((tile - firstTile) * Left.TileStride);
                RunPanels(rows, tile, tile + 1 < lastTile, panel, Math.Min(panel + PanelsABlock, lastPanel));
            }
        }
    }

    private readonly byte* PrepareLeft(int firstTile, int lastTile)
    {
        if (!Left.Packs)
        {
            return Left.At(firstTile);
        }

        byte* a = MatmulScratch.OfThread.Left((lastTile - firstTile) * Left.TileStride);
        Left.Pack(firstTile, lastTile, a);
        return a;
    }

    private static (int First, int Last) Part(int count, int part, int parts) =>
        ((int)((long)count * part / parts), (int)((long)count * (part + 1) / parts));

    private readonly void RunPanels(byte* a, int tile, bool hasNext, int firstPanel, int lastPanel)
    {
        int width = Kernels.TileColumns;
        int row = tile * TileRows;
        int rows = Math.Min(TileRows, C.Rows - row);
        TileArguments arguments = new()
        {
            A = a,
            ARowStride = Left.RowStride,
            AStep = Left.Step,
            BPanelStride = BPanelStride,
            Steps = Steps,
            CRowStride = (nint)C.Stride * C.ElementBytes,
            Options = Options,
        };

        // The next tile of A is fetched while this one passes over its panels. From the last-level cache its lines come
        // later than the processor can look ahead: without this, K = 256 lost a tenth of its speed on Zen 4.
        bool fetches = hasNext && Steps > 0 && Left.IsDense;
        nint share = Left.TileStride / (lastPanel - firstPanel);
        arguments.NextStep = fetches ? (share + Steps - 1) / Steps : 0;
        int panels;
        for (int panel = firstPanel; panel < lastPanel; panel += panels)
        {
            panels = PanelsOfCall(rows, panel, lastPanel);
            int column = panel * width;
            arguments.B = B + (panel * BPanelStride);
            arguments.C = C.At(row, column);
            arguments.Bias = Bias == null ? null : Bias + column;
            arguments.Columns = Math.Min(panels * width, C.Columns - column);
            arguments.Partial = Partial + (((nint)tile * PanelCount) + panel) * TileRows * width;
            arguments.Next = fetches ? a + Left.TileStride + ((panel - firstPanel) * share) : null;
            Kernels.Tile(Type, rows, &arguments);
        }
    }

    // Few rows take several whole panels at once; but unfinished sums lie panel by panel, since the call that goes on
    // with them, of more or fewer steps, may cut its blocks elsewhere.
    private readonly int PanelsOfCall(int rows, int panel, int lastPanel) => Partial != null
        ? 1
        : Kernels.PanelsAtOnce(rows, Math.Min(lastPanel, C.Columns / Kernels.TileColumns) - panel);
}
