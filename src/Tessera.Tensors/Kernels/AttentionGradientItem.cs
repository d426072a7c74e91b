using System.Runtime.InteropServices;

namespace Tessera.Tensors.Kernels;

/// <summary>
/// Computes one part of attention's gradient (FlashAttention-2, arXiv 2307.08691): a block of keys meets the blocks of
/// lines that see it, scores are computed again, and five products are taken from each pair of blocks. A line is a row
/// with one of the heads that share the key head.
/// </summary>
internal readonly unsafe ref struct AttentionGradientItem
{
    /// <summary>The keys of a block: whole panels, and few enough that a block's products stay near.</summary>
    public const int BlockKeys = 64;

    // Four strips of the widest tile.
    private const int BlockLines = 56;

    private readonly ref readonly AttentionCall _call;
    private readonly ref readonly AttentionGradients _gradients;
    private readonly ref readonly AttentionPart _part;
    private readonly AttentionOperands _operands;
    private readonly AttentionSlopes _slopes;
    private readonly float* _dq; // [strip][panel][line][column]
    private readonly float* _dk; // [tile][panel][key][column], of one block
    private readonly float* _dv;

    private AttentionGradientItem(
        ref readonly AttentionCall call, ref readonly AttentionGradients gradients, ref readonly AttentionPart part)
    {
        _call = ref call;
        _gradients = ref gradients;
        _part = ref part;
        int lines = (part.EndRow - part.FirstRow) * call.Group;
        long queryBytes = SumBytes(in call, lines), keyBytes = SumBytes(in call, BlockKeys);
        ThreadScratch scratch = new(
            AttentionOperands.Bytes(in call, in part) + AttentionSlopes.Bytes(BlockLines) + queryBytes + (2 * keyBytes),
            AttentionOperands.Pieces + AttentionSlopes.Pieces + 3);
        _operands = new AttentionOperands(in call, in gradients, in part, ref scratch);
        _slopes = new AttentionSlopes(BlockLines, ref scratch);
        _dq = (float*)scratch.Take(queryBytes);
        _dk = (float*)scratch.Take(keyBytes);
        _dv = (float*)scratch.Take(keyBytes);
        NativeMemory.Clear(_dq, (nuint)queryBytes); // more than a span holds, where a sequence is long
    }

    private int Lines => (_part.EndRow - _part.FirstRow) * _call.Group;

    private int Blocks => (Lines + BlockLines - 1) / BlockLines;

    private int RowFloats => _call.ValuePanels * _call.Columns;

    public static void Run(
        ref readonly AttentionCall call, ref readonly AttentionGradients gradients, ref readonly AttentionPart part)
    {
        AttentionGradientItem item = new(in call, in gradients, in part);
        for (int key = part.FirstKey & -BlockKeys; key < part.EndKey; key += BlockKeys)
        {
            item.RunKeys(key);
        }

        if (part.WantsQueries)
        {
            item.StoreQueries();
        }
    }

    private static long SumBytes(in AttentionCall call, int rows) =>
        (long)rows * call.ValuePanels * call.Columns * sizeof(float);

    // Even boundaries, so that a pair of lines never lies in two blocks or strips.
    private static int Boundary(int count, int index, int parts) =>
        Math.Min(count, (int)((count + 1L) / 2 * index / parts) * 2);

    private void RunKeys(int firstKey)
    {
        if (_part.WantsKeys)
        {
            int bytes = (int)SumBytes(in _call, BlockKeys);
            new Span<byte>(_dk, bytes).Clear();
            new Span<byte>(_dv, bytes).Clear();
            int count = Math.Min(_part.EndKey - firstKey, BlockKeys);
            Fetch(_gradients.Keys, _operands.KeysFrom(firstKey), count);
            Fetch(_gradients.Values, _operands.KeysFrom(firstKey), count);
        }

        if (_part.WantsQueries && firstKey + BlockKeys >= _part.EndKey)
        {
            Fetch(_gradients.Queries, _operands.LinesFrom(0), Lines);
        }

        for (int block = 0; block < Blocks; block++)
        {
            int first = Boundary(Lines, block, Blocks), end = Boundary(Lines, block + 1, Blocks);
            if (Row(end - 1) >= firstKey && _call.FirstKey(Row(first)) < firstKey + BlockKeys)
            {
                RunBlock(firstKey, first, end);
            }
        }

        if (_part.WantsKeys)
        {
            int keys = Math.Min(_part.EndKey - firstKey, BlockKeys), skipped = Math.Max(0, _part.FirstKey - firstKey);
            StoreKeys(_dk, _call.Scale, _gradients.Keys, firstKey, skipped, keys);
            StoreKeys(_dv, 1, _gradients.Values, firstKey, skipped, keys);
        }
    }

    private void Fetch(AttentionGradients.Target target, LineCursor cursor, int lines) =>
        AttentionPacking.Fetch(target.Data, target.Type, cursor, lines, _call.HeadSize);

    private int Row(int line) => _part.FirstRow + (line / _call.Group);

    private void RunBlock(int firstKey, int firstLine, int endLine)
    {
        int lines = endLine - firstLine, pairRows = _call.Kernels.TileRows / 2;
        int strips = (((lines + 1) / 2) + pairRows - 1) / pairRows;
        for (int strip = 0; strip < strips; strip++)
        {
            int first = Boundary(lines, strip, strips), count = Boundary(lines, strip + 1, strips) - first;
            int line = firstLine + first;
            int keys = Math.Clamp(_call.ToPanels(Row(line + count - 1) + 1 - firstKey), 0, BlockKeys);
            Multiply(_operands.Query(line), _operands.Keys(firstKey), keys, _slopes.Scores(first), count);
            Multiply(_operands.Upstream(line), _operands.Values(firstKey), keys, _slopes.Pulls(first), count);
            for (int i = 0; i < count; i += 2)
            {
                ComputeSlopes(firstKey, line + i, first + i, Math.Min(2, count - i), keys);
            }

            if (_part.WantsQueries && keys > 0)
            {
                AddQueries(firstKey, line, first, count, keys);
            }
        }

        if (_part.WantsKeys)
        {
            AddKeys(firstKey, firstLine, lines);
        }
    }

    private void ComputeSlopes(int firstKey, int line, int place, int count, int keys)
    {
        AttentionSlopes.Line first = LineAt(firstKey, line, keys);
        AttentionSlopes.Line second = count == 2 ? LineAt(firstKey, line + 1, keys) : default;
        _slopes.ComputePair(place, in first, in second, in _call);
    }

    private AttentionSlopes.Line LineAt(int firstKey, int line, int keys)
    {
        int row = Row(line);
        int first = Math.Max(0, _call.FirstKey(row) - firstKey), end = Math.Min(keys, row + 1 - firstKey);
        return new(first, Math.Max(first, end), _operands.LogSum(line), _operands.Delta(line));
    }

    // Lines times a block of keys, over the entries of a head.
    private void Multiply(byte* rows, byte* panels, int keys, float* to, int count)
    {
        int W = _call.Columns, panelsAtOnce;
        TileArguments arguments = new()
        {
            A = rows,
            ARowStride = (nint)_call.Steps * sizeof(uint),
            AStep = sizeof(uint),
            BPanelStride = (nint)_call.Steps * W * sizeof(uint),
            Steps = _call.Steps,
            CRowStride = BlockKeys * sizeof(float),
        };
        for (int key = 0; key < keys; key += panelsAtOnce * W)
        {
            panelsAtOnce = _call.Kernels.PanelsAtOnce(count, (keys - key) / W);
            arguments.B = panels + ((nint)key * _call.Steps * sizeof(uint));
            arguments.C = to + key;
            arguments.Columns = panelsAtOnce * W;
            _call.Kernels.Tile(_call.Arithmetic, count, &arguments);
        }
    }

    // dQ += dS · K
    private void AddQueries(int firstKey, int line, int place, int count, int keys)
    {
        TileArguments arguments = new()
        {
            A = _slopes.SlopeRows(place, _call.Pairs),
            ARowStride = BlockKeys * (_call.Pairs ? sizeof(ushort) : sizeof(float)),
            AStep = sizeof(uint),
            Steps = _call.StepsOf(keys),
            Columns = _call.Columns,
            Options = TileOptions.Suspend | TileOptions.Resume,
        };
        for (int panel = 0; panel < _call.ValuePanels; panel++)
        {
            arguments.B = _operands.KeyRows(firstKey, panel);
            arguments.Partial = _dq + ((nint)line * RowFloats) + (panel * count * _call.Columns);
            _call.Kernels.Tile(_call.Arithmetic, count, &arguments);
        }
    }

    // dV += Pᵀ · dY and dK += dSᵀ · Q; the first lines of a block see only its first keys.
    private void AddKeys(int firstKey, int firstLine, int lines)
    {
        int keys = Math.Min(BlockKeys, Row(firstLine + lines - 1) + 1 - firstKey);
        int tiles = Tiles(out _);
        for (int tile = 0; tile < tiles; tile++)
        {
            int first = BlockKeys * tile / tiles, count = (BlockKeys * (tile + 1) / tiles) - first;
            if (first >= keys)
            {
                break;
            }

            // Lines whose row is before the tile's first key.
            int unseen = (firstKey + first - _part.FirstRow) * _call.Group;
            int skipped = Math.Clamp(unseen - firstLine, 0, lines) & -2;
            AddKeyTile(
                _slopes.Weights(skipped, first, _call.Pairs), firstLine + skipped, lines - skipped, first, count, true);
            AddKeyTile(
                _slopes.Slopes(skipped, first, _call.Pairs), firstLine + skipped, lines - skipped, first, count, false);
        }
    }

    private void AddKeyTile(byte* a, int line, int lines, int first, int count, bool values)
    {
        TileArguments arguments = new()
        {
            A = a,
            ARowStride = sizeof(uint),
            AStep = BlockKeys * sizeof(uint),
            Steps = _call.Pairs ? (lines + 1) / 2 : lines,
            Columns = _call.Columns,
            Options = TileOptions.Suspend | TileOptions.Resume,
        };
        for (int panel = 0; panel < _call.ValuePanels; panel++)
        {
            arguments.B = values ? _operands.UpstreamRows(line, panel) : _operands.QueryRows(line, panel);
            arguments.Partial = (values ? _dv : _dk) + ((nint)first * RowFloats) + (panel * count * _call.Columns);
            _call.Kernels.Tile(_call.Arithmetic, count, &arguments);
        }
    }

    private int Tiles(out int most)
    {
        most = _call.Kernels.TileRows;
        return (BlockKeys + most - 1) / most;
    }

    private void StoreKeys(float* sums, float factor, AttentionGradients.Target to, int firstKey, int skipped, int keys)
    {
        if (to.Data is null)
        {
            return;
        }

        float* factors = stackalloc float[AttentionCall.MostRows];
        new Span<float>(factors, AttentionCall.MostRows).Fill(factor);
        long row = (long)_call.Segments.Start(_part.Segment) + firstKey;
        int tiles = Tiles(out _);
        for (int tile = 0; tile < tiles; tile++)
        {
            int first = BlockKeys * tile / tiles, count = (BlockKeys * (tile + 1) / tiles) - first;
            int from = Math.Clamp(skipped - first, 0, count), stored = Math.Clamp(keys - first, from, count) - from;
            float* tileSums = sums + ((nint)first * RowFloats) + (from * _call.Columns);
            LineCursor cursor = new(row, _call.KeyHeads, 1, _part.Head, first + from);
            AttentionPacking.StoreTile(tileSums, count, stored, factors, in _call, to, cursor);
        }
    }

    private void StoreQueries()
    {
        if (_gradients.Queries.Data is null)
        {
            return;
        }

        float* factors = stackalloc float[AttentionCall.MostRows];
        new Span<float>(factors, AttentionCall.MostRows).Fill(_call.Scale);
        for (int block = 0; block < Blocks; block++)
        {
            int firstLine = Boundary(Lines, block, Blocks), lines = Boundary(Lines, block + 1, Blocks) - firstLine;
            int pairRows = _call.Kernels.TileRows / 2, strips = (((lines + 1) / 2) + pairRows - 1) / pairRows;
            for (int strip = 0; strip < strips; strip++)
            {
                int first = Boundary(lines, strip, strips), count = Boundary(lines, strip + 1, strips) - first;
                float* sums = _dq + ((nint)(firstLine + first) * RowFloats);
                LineCursor cursor = _operands.LinesFrom(firstLine + first);
                AttentionPacking.StoreTile(sums, count, count, factors, in _call, _gradients.Queries, cursor);
            }
        }
    }
}
