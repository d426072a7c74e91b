using Tessera.Tensors.Threading;

namespace Tessera.Tensors.Kernels;

/// <summary>Packs pieces of both operands on all threads in one parallel region.</summary>
internal unsafe struct Packing(KernelSet kernels, DType type) : IParallelBody
{
    // Enough that threads share the work evenly, and each piece still far longer than its claim (about 0.1 µs).
    private const long BytesAnItem = 32 << 10;

    private MatrixView _left;
    private int _leftTileRows, _leftFirstTile, _leftTiles, _leftTilesAnItem, _leftItems;
    private byte* _leftTo;
    private nint _leftStride;
    private Right _right;
    private int _rightFirstPanel, _rightPanels, _rightPanelsAnItem, _rightItems;
    private byte* _rightTo;
    private nint _rightStride;

    public int FirstStep { get; init; }

    public int LastStep { get; init; }

    /// <summary>Adds tiles of the left operand: rows one below the other, or, if it is transposed, a panel for each tile.</summary>
    public void AddLeft(MatrixView left, int tileRows, int firstTile, int tiles, byte* to, nint tileStride)
    {
        (_left, _leftTileRows, _leftFirstTile, _leftTiles) = (left, tileRows, firstTile, tiles);
        _leftTo = to;
        _leftStride = tileStride;
        _leftTilesAnItem = (int)Math.Clamp(BytesAnItem / Math.Max(tileStride, 1), 1, Math.Max(tiles, 1));
        _leftItems = (tiles + _leftTilesAnItem - 1) / _leftTilesAnItem;
    }

    /// <summary>Adds panels of the right operand.</summary>
    public void AddRight(Right right, int firstPanel, int panels, byte* to, nint panelStride)
    {
        (_right, _rightFirstPanel, _rightPanels) = (right, firstPanel, panels);
        _rightTo = to;
        _rightStride = panelStride;
        _rightPanelsAnItem = (int)Math.Clamp(BytesAnItem / Math.Max(panelStride, 1), 1, Math.Max(panels, 1));
        _rightItems = (panels + _rightPanelsAnItem - 1) / _rightPanelsAnItem;
    }

    /// <summary>Packs everything that was added.</summary>
    public void Run() => Workers.Run(_leftItems + _rightItems, ref this);

    public readonly void Run(int index)
    {
        if (index < _leftItems)
        {
            RunLeft(index * _leftTilesAnItem);
        }
        else
        {
            RunRight((index - _leftItems) * _rightPanelsAnItem);
        }
    }

    private readonly void RunLeft(int first)
    {
        int last = Math.Min(first + _leftTilesAnItem, _leftTiles);
        for (int tile = first; tile < last; tile++)
        {
            byte* to = _leftTo + (tile * _leftStride);
            int row = (_leftFirstTile + tile) * _leftTileRows;
            if (_left.Transposed)
            {
                PanelPacking.Pack(_left.Transpose(), type, _leftTileRows, row, FirstStep, LastStep, to);
            }
            else
            {
                int rows = Math.Min(_leftTileRows, _left.Rows - row);
                RowPacking.Pack(_left, type, row, rows, FirstStep, LastStep, to, _leftStride / _leftTileRows);
            }
        }
    }

    private readonly void RunRight(int first)
    {
        int last = Math.Min(first + _rightPanelsAnItem, _rightPanels);
        for (int panel = first; panel < last; panel++)
        {
            _right.PackPanel(kernels, type, _rightFirstPanel + panel, FirstStep, LastStep, _rightTo + (panel * _rightStride));
        }
    }
}
