namespace Tessera.Tensors.Kernels;

/// <summary>
/// Does one matrix product: cuts it into chunks whose packed operands fit the caches, packs them and runs their tiles.
/// </summary>
internal readonly unsafe struct Product
{
    // Packed panels of a chunk; a few times as many fit the last-level cache.
    private const long ChunkBytes = 8 << 20;

    // Steps that are done at a time. A panel of so many (512 KiB) still stays in the second-level cache while tiles
    // pass; shorter chunks were no faster at any size measured (512, 1024 and 2048 steps).
    private const int ChunkSteps = 4096;

    // Tiles and panels of a chunk whose sums wait in memory between blocks (at most 5 MB).
    private const int PartialTiles = 80, PartialPanels = 32;

    private readonly KernelSet _kernels;
    private readonly DType _type;
    private readonly MatrixView _a;
    private readonly Right _b;
    private readonly MatrixView _c;
    private readonly MatmulOptions _options;

    private readonly bool _packsB;
    private readonly int _tileRows, _tiles, _panels, _steps;
    private readonly int _chunkTiles, _chunkPanels, _chunkSteps;

    public Product(KernelSet kernels, DType type, MatrixView a, Right b, MatrixView c, MatmulOptions options)
    {
        (_kernels, _type, _a, _b, _c, _options) = (kernels, type, a, b, c, options);
        _packsB = b.Packed is null || b.Packed.Type != type;
        _steps = Panels.Steps(type, a.Columns);
        _tiles = (c.Rows + kernels.TileRows - 1) / kernels.TileRows;
        _tileRows = _tiles == 0 ? 1 : (c.Rows + _tiles - 1) / _tiles; // even tiles: a last one of one row is slow
        _panels = Panels.Count(kernels, c.Columns);
        _chunkSteps = EvenPart(_steps, ChunkSteps);
        (_chunkTiles, _chunkPanels) = (Math.Max(1, _tiles), Math.Max(1, _panels));
        if (_packsB)
        {
            long panelBytes = (long)_chunkSteps * kernels.TileColumns * 4;
            _chunkPanels = EvenPart(_panels, (int)Math.Max(1, ChunkBytes / panelBytes));
        }

        if (_chunkSteps < _steps)
        {
            _chunkTiles = EvenPart(_tiles, PartialTiles);
            _chunkPanels = EvenPart(_panels, Math.Min(_chunkPanels, PartialPanels));
        }
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

    private static int EvenPart(int count, int most)
    {
        int parts = Math.Max(1, (count + most - 1) / most);
        return Math.Max(1, (count + parts - 1) / parts);
    }

    private void RunChunk(int tile, int panel, int step)
    {
        int tiles = Math.Min(_chunkTiles, _tiles - tile), panels = Math.Min(_chunkPanels, _panels - panel);
        int steps = Math.Min(_chunkSteps, _steps - step);
        int row = tile * _tileRows, rows = Math.Min(tiles * _tileRows, _c.Rows - row);
        int width = _kernels.TileColumns;
        int column = panel * width, columns = Math.Min(panels * width, _c.Columns - column);
        int rowsAStep = _type == DType.BF16 ? 2 : 1;
        int k = step * rowsAStep, depth = Math.Min(steps * rowsAStep, _a.Columns - k);
        MatmulScratch scratch = MatmulScratch.OfThread;
        (nint b, nint stride) = PrepareRight(scratch, tile, panel, panels, step, steps);
        TileGrid grid = new()
        {
            Kernels = _kernels,
            Type = _type,
            Left = new Left(_a.Part(row, rows, k, depth), _type, _tileRows),
            TileRows = _tileRows,
            Steps = steps,
            B = (byte*)b,
            BPanelStride = stride,
            C = _c.Part(row, rows, column, columns),
            Options = (_options.Accumulate ? TileOptions.Accumulate : TileOptions.None)
                | (_c.Type == DType.BF16 ? TileOptions.StoreBFloat16 : TileOptions.None)
                | (step > 0 ? TileOptions.Resume : TileOptions.None)
                | (step + steps < _steps ? TileOptions.Suspend : TileOptions.None),
            Bias = _options.Bias == null ? null : _options.Bias + column,
            Partial = _chunkSteps < _steps
                ? (float*)scratch.Partial((long)_chunkTiles * _chunkPanels * _tileRows * width * sizeof(float))
                : null,
        };
        grid.Run();
    }

    // Gives a chunk's panels, packing them if they must be and aren't from the last chunk.
    private (nint Panels, nint Stride) PrepareRight(
        MatmulScratch scratch, int tile, int panel, int panels, int step, int steps)
    {
        nint stepBytes = (nint)_kernels.TileColumns * 4;
        if (!_packsB)
        {
            nint packedStride = _b.Packed!.PanelStride;
            return ((nint)_b.Packed.Data + (panel * packedStride) + (step * stepBytes), packedStride);
        }

        nint stride = _chunkSteps * stepBytes;
        byte* to = scratch.Right(stride * _chunkPanels);
        if (tile == 0 || _chunkSteps < _steps)
        {
            _b.Pack(_kernels, _type, panel, panels, step, step + steps, to, stride);
        }

        return ((nint)to, stride);
    }
}
