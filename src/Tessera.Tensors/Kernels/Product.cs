namespace Tessera.Tensors.Kernels;

/// <summary>Does one matrix product: cuts it into chunks whose packed operands fit the caches, packs them and runs their tiles.</summary>
internal readonly unsafe struct Product
{
    // A packed chunk of an operand; a few of these fit the last-level cache.
    private const long ChunkBytes = 8 << 20;

    // Steps that are packed at a time: beyond it a chunk of ChunkBytes would be too narrow to pay for its packing.
    private const int ChunkSteps = 4096;

    // Steps that a tile does at a time: a panel of so many (128 KiB) and its rows stay in the second-level cache.
    private const int BlockSteps = 1024;

    // Tiles and panels of a chunk whose sums wait in memory between blocks (at most 5 MB).
    private const int PartialTiles = 80, PartialPanels = 32;

    private readonly KernelSet _kernels;
    private readonly DType _type;
    private readonly MatrixView _a;
    private readonly Right _b;
    private readonly MatrixView _c;
    private readonly MatmulOptions _options;

    private readonly bool _packsA, _packsB, _suspends;
    private readonly int _tileRows, _tiles, _panels, _steps;
    private readonly int _chunkTiles, _chunkPanels, _chunkSteps, _blockSteps;

    public Product(KernelSet kernels, DType type, MatrixView a, Right b, MatrixView c, MatmulOptions options)
    {
        (_kernels, _type, _a, _b, _c, _options) = (kernels, type, a, b, c, options);
        _packsA = !TilesCanRead(a, type);
        _packsB = b.Packed is null || b.Packed.Type != type;
        _steps = Panels.Steps(type, a.Columns);
        _tiles = (c.Rows + kernels.TileRows - 1) / kernels.TileRows;
        _tileRows = _tiles == 0 ? 1 : (c.Rows + _tiles - 1) / _tiles; // as even as can be: a last tile of one row is slow
        _panels = Panels.Count(kernels, c.Columns);
        _chunkSteps = _packsA || _packsB ? EvenPart(_steps, ChunkSteps) : Math.Max(1, _steps);
        _blockSteps = _tiles <= 1 ? _chunkSteps : EvenPart(_chunkSteps, BlockSteps);
        _suspends = _blockSteps < _steps;
        _chunkTiles = Chunk(_tiles, _packsA, _tileRows, _suspends ? PartialTiles : _tiles);
        _chunkPanels = Chunk(_panels, _packsB, kernels.TileColumns, _suspends ? PartialPanels : _panels);
    }

    /// <summary>Computes the product.</summary>
    public void Run()
    {
        for (int panel = 0; panel < _panels; panel += _chunkPanels)
        {
            for (int tile = 0; tile < _tiles; tile += _chunkTiles)
            {
                for (int step = 0; step == 0 || step < _steps; step += _chunkSteps)
                {
                    RunChunk(tile, panel, step);
                }
            }
        }
    }

    // An odd K has half a pair at its end that a tile would take from the next row; rows a multiple of a page apart
    // fall into one set of the first-level cache and drive each other out.
    private static bool TilesCanRead(MatrixView a, DType type) =>
        !a.Transposed && a.Type == type
        && (type == DType.F32 || a.Columns % 2 == 0)
        && (a.Rows <= 4 || (long)a.Stride * a.ElementBytes % 4096 != 0);

    private static int EvenPart(int count, int most)
    {
        int parts = Math.Max(1, (count + most - 1) / most);
        return Math.Max(1, (count + parts - 1) / parts);
    }

    private int Chunk(int count, bool packs, int width, int most)
    {
        long fits = packs ? ChunkBytes / ((long)_chunkSteps * width * 4) : count;
        return EvenPart(count, (int)Math.Clamp(fits, 1, Math.Max(1, Math.Min(count, most))));
    }

    private void RunChunk(int tile, int panel, int step)
    {
        int tiles = Math.Min(_chunkTiles, _tiles - tile);
        int panels = Math.Min(_chunkPanels, _panels - panel);
        int lastStep = Math.Min(step + _chunkSteps, _steps);
        int row = tile * _tileRows, column = panel * _kernels.TileColumns;
        MatmulScratch scratch = MatmulScratch.OfThread;
        Prepared operands = Prepare(scratch, tile, panel, step);
        bool rounds = _c.Type == DType.BF16;
        TileGrid grid = new()
        {
            Kernels = _kernels,
            Type = _type,
            Rows = Math.Min(tiles * _tileRows, _c.Rows - row),
            TileRows = _tileRows,
            Columns = Math.Min(panels * _kernels.TileColumns, _c.Columns - column),
            A = operands.A,
            ATileStride = operands.ATileStride,
            ARowStride = operands.ARowStride,
            AStep = operands.AStep,
            B = operands.B,
            BPanelStride = operands.BPanelStride,
            Steps = lastStep - step,
            BlockSteps = _blockSteps,
            Resumes = step > 0,
            Suspends = lastStep < _steps,
            C = _c.At(row, column),
            CRowStride = (nint)_c.Stride * _c.ElementBytes,
            Options = (_options.Accumulate ? TileOptions.Accumulate : 0) | (rounds ? TileOptions.StoreBFloat16 : 0),
            Bias = _options.Bias == null ? null : _options.Bias + column,
            Partial = _suspends
                ? (float*)scratch.Partial((long)_chunkTiles * _chunkPanels * _tileRows * _kernels.TileColumns * 4)
                : null,
        };
        grid.Run();
    }

    // Gives the operands of a chunk as tiles read them, packing what must be and isn't from the last chunk.
    private Prepared Prepare(MatmulScratch scratch, int tile, int panel, int step)
    {
        int lastStep = Math.Min(step + _chunkSteps, _steps);
        Prepared operands = default;
        Packing packing = new(_kernels, _type) { FirstStep = step, LastStep = lastStep };
        bool everyStep = _chunkSteps >= _steps;
        if (_packsA)
        {
            operands = Prepared.PackedLeft(_a.Transposed, _tileRows, _chunkSteps);
            operands.A = scratch.Left(operands.ATileStride * _chunkTiles);
            if (!everyStep || _chunkTiles < _tiles || panel == 0)
            {
                int tiles = Math.Min(_chunkTiles, _tiles - tile);
                packing.AddLeft(_a, _tileRows, tile, tiles, operands.A, operands.ATileStride);
            }
        }
        else
        {
            operands.ARowStride = (nint)_a.Stride * _a.ElementBytes;
            operands.AStep = 4;
            operands.ATileStride = operands.ARowStride * _tileRows;
            operands.A = _a.At(tile * _tileRows, 0) + ((nint)step * 4);
        }

        if (_packsB)
        {
            operands.BPanelStride = (nint)_chunkSteps * _kernels.TileColumns * 4;
            operands.B = scratch.Right(operands.BPanelStride * _chunkPanels);
            if (!everyStep || tile == 0)
            {
                packing.AddRight(_b, panel, Math.Min(_chunkPanels, _panels - panel), operands.B, operands.BPanelStride);
            }
        }
        else
        {
            operands.BPanelStride = _b.Packed!.PanelStride;
            operands.B = _b.Packed.Data + (panel * operands.BPanelStride) + ((nint)step * _kernels.TileColumns * 4);
        }

        packing.Run();
        return operands;
    }

    private struct Prepared
    {
        public byte* A, B;
        public nint ATileStride, ARowStride, AStep, BPanelStride;

        public static Prepared PackedLeft(bool transposed, int tileRows, int steps)
        {
            if (transposed)
            {
                long panel = ((long)steps * tileRows * 4) + PanelPacking.Slack;
                return new Prepared { ARowStride = 4, AStep = (nint)tileRows * 4, ATileStride = (nint)((panel + 63) / 64 * 64) };
            }

            // An odd number of cache lines apart: the rows then spread over the sets of the first-level cache.
            nint row = ((((nint)steps * 4) + 63) / 64 * 64) | 64;
            return new Prepared { ARowStride = row, AStep = 4, ATileStride = row * tileRows };
        }
    }
}
