namespace Tessera.Tensors.Kernels;

/// <summary>
/// Is the left operand of a product: read where it lies, or packed by each thread for the tiles that it is about to do.
/// </summary>
internal readonly unsafe struct Left
{
    private readonly MatrixView _view;
    private readonly DType _type;
    private readonly int _tileRows;
    private readonly int _steps;

    public Left(MatrixView view, DType type, int tileRows)
    {
        (_view, _type, _tileRows) = (view, type, tileRows);
        _steps = Panels.Steps(type, view.Columns);
        Packs = !TilesCanRead(view, type);
        if (!Packs)
        {
            (RowStride, Step) = ((nint)view.Stride * view.ElementBytes, 4);
            TileStride = RowStride * tileRows;
        }
        else if (view.Transposed)
        {
            // A panel for each tile, as the stored rows lie: weaving two of them is cheaper than turning them.
            (RowStride, Step) = (4, (nint)tileRows * 4);
            TileStride = (nint)((((long)_steps * tileRows * 4) + 63) / 64 * 64);
        }
        else
        {
            // An odd number of cache lines apart, so that the rows spread over the sets of the first-level cache.
            (RowStride, Step) = (((((nint)_steps * 4) + 63) / 64 * 64) | 64, 4);
            TileStride = RowStride * tileRows;
        }
    }

    /// <summary>Gets whether tiles can't read the operand where it lies.</summary>
    public bool Packs { get; }

    /// <summary>Gets the bytes from a row of a tile to the next.</summary>
    public nint RowStride { get; }

    /// <summary>Gets the bytes from a step to the next.</summary>
    public nint Step { get; }

    /// <summary>Gets the bytes from a tile to the next.</summary>
    public nint TileStride { get; }

    /// <summary>Gets whether a tile lies in one piece, or nearly.</summary>
    public bool IsDense => Step != 4 || RowStride <= ((nint)_steps * 4) + 128;

    /// <summary>Returns a tile where it lies.</summary>
    public byte* At(int tile) => _view.At(tile * _tileRows, 0);

    /// <summary>Packs some tiles.</summary>
    public void Pack(int first, int last, byte* to)
    {
        if (_view.Transposed)
        {
            Strip strip = new(_view.Transpose(), _type, _tileRows, first, last - first, 0, _steps, to, TileStride);
            PanelPacking.Pack(in strip, 0, _steps);
        }
        else
        {
            int row = first * _tileRows;
            RowPacking.Pack(_view, _type, row, Math.Min(last * _tileRows, _view.Rows) - row, to, RowStride);
        }
    }

    // An odd K has half a pair at its end that a tile would take from the next row; rows a multiple of a page apart
    // fall into one set of the first-level cache and drive each other out.
    private static bool TilesCanRead(MatrixView a, DType type) =>
        !a.Transposed && a.Type == type
        && (type == DType.F32 || a.Columns % 2 == 0)
        && (a.Rows <= 4 || (long)a.Stride * a.ElementBytes % 4096 != 0);
}
