using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Tessera.Tensors.Kernels;

/// <summary>
/// Holds the operands of attention's gradient for one part of the work, packed into scratch memory in each form that a
/// product takes them in.
/// </summary>
internal readonly unsafe ref struct AttentionOperands
{
    /// <summary>The pieces of scratch memory that are taken.</summary>
    public const int Pieces = 9;

    private readonly ref readonly AttentionCall _call;
    private readonly ref readonly AttentionPart _part;
    private readonly int _firstKey;
    private readonly byte* _keys; // [panel][entry][key]
    private readonly byte* _values;
    private readonly byte* _keyRows; // [panel][key][entry]
    private readonly byte* _queries; // [line][entry]
    private readonly byte* _upstream;
    private readonly byte* _queryRows; // [panel][line][entry]
    private readonly byte* _upstreamRows;
    private readonly float* _logSums;
    private readonly float* _deltas;

    public AttentionOperands(
        ref readonly AttentionCall call, ref readonly AttentionGradients gradients, ref readonly AttentionPart part,
        scoped ref ThreadScratch scratch)
    {
        _call = ref call;
        _part = ref part;
        _firstKey = part.FirstKey & -AttentionGradientItem.BlockKeys;
        (long keyBytes, long keyRowBytes, long lineBytes, long lineRowBytes, long factBytes) = Sizes(in call, in part);
        _keys = scratch.Take(keyBytes);
        _values = scratch.Take(keyBytes);
        _keyRows = scratch.Take(keyRowBytes);
        _queries = scratch.Take(lineBytes);
        _upstream = scratch.Take(lineBytes);
        _queryRows = scratch.Take(lineRowBytes);
        _upstreamRows = scratch.Take(lineRowBytes);
        _logSums = (float*)scratch.Take(factBytes);
        _deltas = (float*)scratch.Take(factBytes);
        FetchAll(in gradients);
        PackKeys();
        PackLines(call.Q, call.Type, _queries, _queryRows);
        PackLines(gradients.Upstream.Data, gradients.Upstream.Type, _upstream, _upstreamRows);
        ComputeDeltas();
        if (gradients.SinkParts is not null && part.WantsQueries)
        {
            AddSinks(gradients.SinkParts);
        }
    }

    private long FirstRow => (long)_call.Segments.Start(_part.Segment) + _part.FirstRow;

    private int LineCount => (_part.EndRow - _part.FirstRow) * _call.Group;

    private int KeyCount => KeysOf(in _part);

    private int LineSteps => StepsOfLines(in _call, LineCount);

    /// <summary>Returns the scratch memory that is taken.</summary>
    public static long Bytes(in AttentionCall call, in AttentionPart part)
    {
        (long keyBytes, long keyRowBytes, long lineBytes, long lineRowBytes, long factBytes) = Sizes(in call, in part);
        return (2 * keyBytes) + keyRowBytes + (2 * lineBytes) + (2 * lineRowBytes) + (2 * factBytes);
    }

    /// <summary>Returns the keys from one on, as the right operand of a product over entries.</summary>
    public byte* Keys(int key) => _keys + ((nint)(key - _firstKey) * _call.Steps * sizeof(uint));

    /// <summary>Returns the values from one on, as the right operand of a product over entries.</summary>
    public byte* Values(int key) => _values + ((nint)(key - _firstKey) * _call.Steps * sizeof(uint));

    /// <summary>Returns a panel of the keys from one on, as the right operand of a product over keys.</summary>
    public byte* KeyRows(int key, int panel) =>
        RowsFrom(_keyRows, _call.StepsOf(KeyCount), _call.StepsOf(key - _firstKey), panel);

    /// <summary>Returns the queries from a line on, as the left operand of a product over entries.</summary>
    public byte* Query(int line) => _queries + ((nint)line * _call.Steps * sizeof(uint));

    /// <summary>Returns the upstream gradient from a line on, as the left operand of a product over entries.</summary>
    public byte* Upstream(int line) => _upstream + ((nint)line * _call.Steps * sizeof(uint));

    /// <summary>
    /// Returns a panel of the queries from a line on (an even one), as the right operand of a product over lines.
    /// </summary>
    public byte* QueryRows(int line, int panel) => RowsFrom(_queryRows, LineSteps, _call.StepsOf(line), panel);

    /// <summary>
    /// Returns a panel of the upstream gradient from a line on (an even one), as the right operand of a product over
    /// lines.
    /// </summary>
    public byte* UpstreamRows(int line, int panel) => RowsFrom(_upstreamRows, LineSteps, _call.StepsOf(line), panel);

    /// <summary>Returns the log of a line's denominator.</summary>
    public float LogSum(int line) => _logSums[line];

    /// <summary>Returns the weighted mean of a line's pulls, which is y · dy.</summary>
    public float Delta(int line) => _deltas[line];

    /// <summary>Returns a cursor over the part's lines, from one on.</summary>
    public LineCursor LinesFrom(int line) => _call.LinesFrom(FirstRow, _part.Head, line);

    /// <summary>Returns a cursor over the part's keys, from one on.</summary>
    public LineCursor KeysFrom(int key) =>
        new((long)_call.Segments.Start(_part.Segment) + key, _call.KeyHeads, 1, _part.Head, 0);

    private static int KeysOf(in AttentionPart part)
    {
        int block = AttentionGradientItem.BlockKeys, first = part.FirstKey & -block;
        return (part.EndKey - first + block - 1) / block * block;
    }

    private static int StepsOfLines(in AttentionCall call, int lines) => call.Pairs ? (lines + 1) / 2 : lines;

    private static (long Keys, long KeyRows, long Lines, long LineRows, long Facts) Sizes(
        in AttentionCall call, in AttentionPart part)
    {
        long word = sizeof(uint), columns = (long)call.ValuePanels * call.Columns;
        int keys = KeysOf(in part), lines = (part.EndRow - part.FirstRow) * call.Group;
        return (
            keys * (long)call.Steps * word,
            call.StepsOf(keys) * columns * word,
            lines * (long)call.Steps * word,
            StepsOfLines(in call, lines) * columns * word,
            lines * (long)sizeof(float));
    }

    private byte* RowsFrom(byte* panels, int steps, int step, int panel) =>
        panels + ((((nint)panel * steps) + step) * _call.Columns * sizeof(uint));

    private void FetchAll(ref readonly AttentionGradients gradients)
    {
        LineCursor keys = KeysFrom(_firstKey), lines = LinesFrom(0);
        AttentionPacking.Fetch(_call.K, _call.Type, keys, _part.EndKey - _firstKey, _call.HeadSize);
        AttentionPacking.Fetch(_call.V, _call.Type, keys, _part.EndKey - _firstKey, _call.HeadSize);
        AttentionPacking.Fetch(_call.Q, _call.Type, lines, LineCount, _call.HeadSize);
        AttentionPacking.Fetch(gradients.Upstream.Data, gradients.Upstream.Type, lines, LineCount, _call.HeadSize);
        AttentionPacking.Fetch(_call.Y, _call.Type, lines, LineCount, _call.HeadSize);
    }

    private void PackKeys()
    {
        long row = (long)_call.Segments.Start(_part.Segment) + _firstKey;
        int rows = _part.EndKey - _firstKey;
        MatrixView k = AttentionPacking.Head(
            _call.K, _call.Type, row, rows, _call.KeyHeads, _part.Head, _call.HeadSize);
        MatrixView v = AttentionPacking.Head(
            _call.V, _call.Type, row, rows, _call.KeyHeads, _part.Head, _call.HeadSize);
        AttentionPacking.Panels(k.Transpose(), _call.Arithmetic, _call.Columns, _call.Steps, _keys);
        AttentionPacking.Panels(v.Transpose(), _call.Arithmetic, _call.Columns, _call.Steps, _values);
        AttentionPacking.Panels(k, _call.Arithmetic, _call.Columns, _call.StepsOf(KeyCount), _keyRows);

        // The last block is whole in the products; keys that aren't there must not be NaN.
        int packed = _call.ToPanels(rows);
        int rest = (KeyCount - packed) * _call.Steps * sizeof(uint);
        new Span<byte>(_keys + ((nint)packed * _call.Steps * sizeof(uint)), rest).Clear();
        new Span<byte>(_values + ((nint)packed * _call.Steps * sizeof(uint)), rest).Clear();
    }

    private void PackLines(void* source, DType type, byte* lines, byte* rows)
    {
        int padded = _call.Pairs ? 2 * _call.Steps : _call.HeadSize;
        AttentionPacking.Lines(in _call, source, type, LinesFrom(0), LineCount, lines);
        if (_call.Pairs)
        {
            AttentionPacking.LinePairs(lines, padded * sizeof(ushort), LineCount, _call.HeadSize, _call.Columns, rows);
            return;
        }

        MatrixView view = new(lines, _call.Arithmetic, LineCount, _call.HeadSize, padded);
        AttentionPacking.Panels(view, _call.Arithmetic, _call.Columns, LineSteps, rows);
    }

    private void ComputeDeltas()
    {
        if (_call.Type == DType.F32)
        {
            ComputeDeltas<Single32, Single32>();
        }
        else if (_call.Pairs)
        {
            ComputeDeltas<Brain16, Brain16>();
        }
        else
        {
            ComputeDeltas<Brain16, Single32>();
        }
    }

    [MethodImpl(Compiled.Alone)]
    private void ComputeDeltas<TResult, TUpstream>()
        where TResult : struct, IElement
        where TUpstream : struct, IElement
    {
        int D = _call.HeadSize, count = LineCount;
        void* y = _call.Y;
        float* logSums = _call.LogSums;
        LineCursor cursor = LinesFrom(0);
        for (int line = 0; line < count; line++, cursor.Next())
        {
            long start = cursor.Index * D, end = start + D;
            byte* upstream = Upstream(line);
            Vector512<float> sum = Vector512<float>.Zero;
            for (int d = 0; d < D; d += IElement.Lanes)
            {
                Vector512<float> dy = Lanes.Load<TUpstream>(upstream, d, D);
                sum = Vector512.FusedMultiplyAdd(Lanes.Load<TResult>(y, start + d, end), dy, sum);
            }

            _deltas[line] = VectorMath.Sum(sum);
            _logSums[line] = logSums[cursor.Index];
        }
    }

    private void AddSinks(float* parts)
    {
        for (int j = 0; j < _call.Group; j++)
        {
            int head = (_part.Head * _call.Group) + j;
            float sum = 0;
            for (int line = j; line < LineCount; line += _call.Group)
            {
                sum -= MathF.Pow(2, _call.Sinks[head] - _logSums[line]) * _deltas[line];
            }

            parts[((long)_part.Run * _call.Heads) + head] = sum;
        }
    }
}
