namespace Tessera.Tensors.Kernels;

/// <summary>
/// Finds the panels of one sequence's keys and values for one head: packed into scratch memory for this call, or as
/// they lie in a cache's blocks (widened on the way where the cache holds bf16 and the tiles multiply fp32).
/// </summary>
internal readonly unsafe ref struct KeyPanels
{
    private readonly ref readonly AttentionCall _call;
    private readonly byte* _keys;
    private readonly byte* _values;
    private readonly int _first;
    private readonly int _count;
    private readonly int _segment;
    private readonly int _head;

    /// <summary>
    /// Packs positions from <paramref name="first"/> to <paramref name="end"/>, or takes the memory to widen into, from
    /// scratch.
    /// </summary>
    public KeyPanels(
        ref readonly AttentionCall call, int segment, int head, int first, int end, ref ThreadScratch scratch)
    {
        _call = ref call;
        (_segment, _head, _first) = (segment, head, first);
        if (call.Cache is not null)
        {
            _keys = scratch.Take(KeyBytes(in call, AttentionCall.BlockKeys));
            _values = scratch.Take(ValueBytes(in call, AttentionCall.BlockKeys));
            return;
        }

        _count = call.ToPanels(end - first);
        _keys = scratch.Take(KeyBytes(in call, _count));
        _values = scratch.Take(ValueBytes(in call, _count));
        long row = (long)call.Segments.Start(segment) + first;
        LineCursor cursor = new(row, call.KeyHeads, 1, head, 0);
        AttentionPacking.Fetch(call.K, call.Type, cursor, end - first, call.HeadSize);
        AttentionPacking.Fetch(call.V, call.Type, cursor, end - first, call.HeadSize);
        MatrixView k = AttentionPacking.Head(call.K, call.Type, row, end - first, call.KeyHeads, head, call.HeadSize);
        MatrixView v = AttentionPacking.Head(call.V, call.Type, row, end - first, call.KeyHeads, head, call.HeadSize);
        AttentionPacking.Panels(k.Transpose(), call.Arithmetic, call.Columns, call.Steps, _keys);
        AttentionPacking.Panels(v, call.Arithmetic, call.Columns, call.StepsOf(_count), _values);
    }

    /// <summary>Returns the scratch memory that is taken for so many positions.</summary>
    public static long Bytes(in AttentionCall call, int count)
    {
        int held = call.Cache is null ? call.ToPanels(count) : AttentionCall.BlockKeys;
        return KeyBytes(in call, held) + ValueBytes(in call, held);
    }

    /// <summary>
    /// Returns the panels from a position on (the first of a panel), of at most so many positions that lie together.
    /// </summary>
    public Run From(int position, int most)
    {
        ref readonly AttentionCall call = ref _call;
        nint row = (nint)call.Columns * sizeof(uint);
        if (call.Cache is not { } cache)
        {
            int at = position - _first;
            byte* packedKeys = _keys + ((nint)at * call.Steps * sizeof(uint));
            return new Run(
                packedKeys, call.Steps * row, _values + (call.StepsOf(at) * row), call.StepsOf(_count) * row, most);
        }

        int P = cache.Size.BlockPositions, place = position % P, count = Math.Min(most, P - place);
        int block = call.Segments.Blocks(_segment)[position / P];
        int perWord = cache.Size.Type == DType.BF16 ? 2 : 1, keySteps = Even(call.HeadSize) / perWord;
        byte* keys = cache.Keys(call.Layer, block, _head) + ((nint)place * keySteps * sizeof(uint));
        byte* values = cache.Values(call.Layer, block, _head) + (place / perWord * row);
        Run stored = new(keys, keySteps * row, values, P / perWord * row, count);
        return perWord == 2 && !call.Pairs ? Widened(stored, position % AttentionCall.BlockKeys) : stored;
    }

    private static int Even(int count) => (count + 1) / 2 * 2;

    private static long KeyBytes(in AttentionCall call, int count) => (long)count * Even(call.HeadSize) * sizeof(uint);

    private static long ValueBytes(in AttentionCall call, int count) =>
        (long)call.ValuePanels * count * call.Columns * sizeof(uint);

    // Each part of a step has a place of its own, since all of a step's panels are in use together.
    private Run Widened(Run stored, int place)
    {
        int W = _call.Columns, entries = Even(_call.HeadSize);
        nint row = (nint)W * sizeof(uint);
        byte* keys = _keys + ((nint)place * entries * sizeof(uint)), values = _values + (place * row);
        for (int panel = 0; panel < stored.Count / W; panel++)
        {
            uint* from = (uint*)(stored.Keys + (panel * stored.KeyStride));
            AttentionPacking.WidenPairs(from, entries / 2, W, (float*)(keys + (panel * entries * row)));
        }

        for (int panel = 0; panel < _call.ValuePanels; panel++)
        {
            uint* from = (uint*)(stored.Values + (panel * stored.ValueStride));
            float* to = (float*)(values + (panel * AttentionCall.BlockKeys * row));
            AttentionPacking.WidenPairs(from, stored.Count / 2, W, to);
        }

        return new Run(keys, entries * row, values, AttentionCall.BlockKeys * row, stored.Count);
    }

    /// <summary>Holds panels of neighbouring positions, with the bytes from one panel to the next.</summary>
    public readonly record struct Run(nint KeyAddress, nint KeyStride, nint ValueAddress, nint ValueStride, int Count)
    {
        public Run(byte* keys, nint keyStride, byte* values, nint valueStride, int count)
            : this((nint)keys, keyStride, (nint)values, valueStride, count)
        {
        }

        /// <summary>Gets the keys: panels of positions, [panel][entry][position].</summary>
        public byte* Keys => (byte*)KeyAddress;

        /// <summary>Gets the values: panels of entries, [panel][position][entry].</summary>
        public byte* Values => (byte*)ValueAddress;
    }
}
