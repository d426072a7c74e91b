using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Tessera.Tensors.Threading;

namespace Tessera.Tensors.Kernels;

/// <summary>
/// Computes attention without the matrix of scores in memory: tiles of rows (and the heads that share a key head) meet
/// the keys in steps, as in FlashAttention (arXiv 2205.14135). Steps begin at fixed positions and every sum runs over
/// the keys in their order, so a row's result is the same bits whatever the batch, its cut into calls or the threads.
/// </summary>
internal unsafe struct AttentionForward : IParallelBody
{
    // Long enough that packing an item's keys is small beside using them, short enough that long sequences feed all
    // threads.
    private const int RowsPerItem = 512;

    // Pairs of row and key; below this (some microseconds) waking another thread costs more than it saves.
    private const long SmallestShared = 1 << 13;

    private AttentionCall _call;
    private AttentionItems _items;

    public static void Run(in AttentionCall call)
    {
        int rows = Math.Max(AttentionCall.BlockKeys / 4, RowsPerItem / call.Group);
        AttentionForward body = new() { _call = call, _items = new AttentionItems(call.Segments, call.KeyHeads, rows) };
        if (body._items.Work >= SmallestShared)
        {
            Workers.Run(body._items.Count, ref body);
        }
        else
        {
            for (int i = 0; i < body._items.Count; i++)
            {
                body.Run(i);
            }
        }

        body._items.Recycle();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public readonly void Run(int index)
    {
        (_, int segment, int firstRow, int rows, int head) = _items.Item(index);
        RunItem(in _call, segment, firstRow, rows, head);
    }

    private static void RunItem(ref readonly AttentionCall call, int segment, int firstRow, int rows, int head)
    {
        int firstPosition = call.Segments.Past(segment) + firstRow;
        int first = call.FirstKey(firstPosition) & -AttentionCall.BlockKeys;
        ThreadScratch scratch = new(
            KeyPanels.Bytes(in call, firstPosition + rows - first) + Tile.Bytes(in call), Tile.Pieces + 2);
        KeyPanels keys = new(in call, segment, head, first, firstPosition + rows, ref scratch);
        Tile tile = new(in call, ref scratch);
        long row = (long)call.Segments.Start(segment) + firstRow;
        int lines = rows * call.Group;
        AttentionPacking.Fetch(call.Q, call.Type, call.LinesFrom(row, head, 0), lines, call.HeadSize);
        int most = call.Kernels.TileRows, tiles = (lines + most - 1) / most;
        for (int i = 0; i < tiles; i++)
        {
            // Evenly: a last tile of few rows would wait for its own sums.
            int from = (int)((long)lines * i / tiles), to = (int)((long)lines * (i + 1) / tiles);
            tile.Compute(in keys, row, firstPosition, head, from, to - from);
        }
    }

    /// <summary>
    /// One tile of rows and its memory. A line is a row with one of the heads that share the key head.
    /// </summary>
    private readonly ref struct Tile
    {
        public const int Pieces = 5;

        private readonly ref readonly AttentionCall _call;
        private readonly byte* _queries;
        private readonly float* _scores;
        private readonly void* _weights;
        private readonly float* _sums; // [panel][line][column]
        private readonly RowStates* _states;

        public Tile(ref readonly AttentionCall call, ref ThreadScratch scratch)
        {
            _call = ref call;
            _queries = scratch.Take(QueryBytes(in call));
            _scores = (float*)scratch.Take(ScoreBytes);
            _weights = scratch.Take(ScoreBytes);
            _sums = (float*)scratch.Take(SumBytes(in call));
            _states = (RowStates*)scratch.Take(sizeof(RowStates));
        }

        private static int ScoreBytes => AttentionCall.MostRows * AttentionCall.BlockKeys * sizeof(float);

        public static long Bytes(in AttentionCall call) =>
            QueryBytes(in call) + (2 * ScoreBytes) + SumBytes(in call) + sizeof(RowStates);

        public void Compute(in KeyPanels keys, long firstRow, int firstPosition, int head, int firstLine, int lines)
        {
            ref readonly AttentionCall call = ref _call;
            LineCursor cursor = call.LinesFrom(firstRow, head, firstLine);
            AttentionPacking.Fetch(call.Y, call.Type, cursor, lines, call.HeadSize);
            AttentionPacking.Lines(in call, call.Q, call.Type, cursor, lines, _queries);
            _states->Begin(firstPosition, firstLine, lines, head, in call);
            int end = _states->Position[lines - 1] + 1;
            int start = call.FirstKey(_states->Position[0]) & -AttentionCall.BlockKeys;
            KeyPanels.Run* runs = stackalloc KeyPanels.Run[AttentionCall.BlockKeys / 8];
            for (int first = start; first < end; first += AttentionCall.BlockKeys)
            {
                int count = Math.Min(AttentionCall.BlockKeys, call.ToPanels(end - first));
                int found = 0;
                for (int done = 0; done < count; found++)
                {
                    runs[found] = keys.From(first + done, count - done);
                    Score(in runs[found], done, lines);
                    done += runs[found].Count;
                }

                _states->See(first, count, lines, in call);
                AttentionSoftmax.Step(_scores, _weights, _states, lines, count, in call);
                if (first != start)
                {
                    ShrinkSums(lines);
                }

                for (int i = 0, done = 0; i < found; i++)
                {
                    Sum(in runs[i], done, lines, resume: done != 0 || first != start);
                    done += runs[i].Count;
                }
            }

            Store(cursor, lines);
        }

        private static long QueryBytes(in AttentionCall call) =>
            (long)AttentionCall.MostRows * call.Steps * sizeof(uint);

        private static long SumBytes(in AttentionCall call) =>
            (long)call.ValuePanels * AttentionCall.MostRows * call.Columns * sizeof(float);

        private void Score(in KeyPanels.Run run, int done, int lines)
        {
            ref readonly AttentionCall call = ref _call;
            int W = call.Columns, panels;
            TileArguments arguments = new()
            {
                A = _queries,
                ARowStride = (nint)call.Steps * sizeof(uint),
                AStep = sizeof(uint),
                BPanelStride = run.KeyStride,
                Steps = call.Steps,
                CRowStride = AttentionCall.BlockKeys * sizeof(float),
            };
            for (int key = 0; key < run.Count; key += panels * W)
            {
                panels = call.Kernels.PanelsAtOnce(lines, (run.Count - key) / W);
                arguments.B = run.Keys + (key / W * run.KeyStride);
                arguments.C = _scores + done + key;
                arguments.Columns = panels * W;
                call.Kernels.Tile(call.Arithmetic, lines, &arguments);
            }
        }

        private void Sum(in KeyPanels.Run run, int done, int lines, bool resume)
        {
            ref readonly AttentionCall call = ref _call;
            TileArguments arguments = new()
            {
                A = (byte*)_weights + ((nint)call.StepsOf(done) * sizeof(uint)),
                ARowStride = (nint)call.StepsOf(AttentionCall.BlockKeys) * sizeof(uint),
                AStep = sizeof(uint),
                Steps = call.StepsOf(run.Count),
                Columns = call.Columns,
                Options = TileOptions.Suspend | (resume ? TileOptions.Resume : TileOptions.None),
            };
            for (int panel = 0; panel < call.ValuePanels; panel++)
            {
                arguments.B = run.Values + (panel * run.ValueStride);
                arguments.Partial = _sums + ((nint)panel * lines * call.Columns);
                call.Kernels.Tile(call.Arithmetic, lines, &arguments);
            }
        }

        [MethodImpl(Compiled.Alone)]
        private void ShrinkSums(int lines)
        {
            int W = _call.Columns;
            for (int r = 0; r < lines; r++)
            {
                if (!_states->Shrinks(r))
                {
                    continue;
                }

                Vector512<float> factor = Vector512.Create(_states->Shrink[r]);
                for (int panel = 0; panel < _call.ValuePanels; panel++)
                {
                    float* sums = _sums + ((((nint)panel * lines) + r) * W);
                    for (int c = 0; c < W; c += VectorMath.Width)
                    {
                        (Vector512.Load(sums + c) * factor).Store(sums + c);
                    }
                }
            }
        }

        [MethodImpl(Compiled.Alone)]
        private void Store(LineCursor cursor, int lines)
        {
            Vector512<float> sum = Vector512.Load(_states->Sum);
            if (_call.LogSums is not null)
            {
                (Vector512.Load(_states->Max) + Vector512.Log2(sum)).Store(_states->Origin);
                LineCursor place = cursor;
                for (int r = 0; r < lines; r++, place.Next())
                {
                    _call.LogSums[place.Index] = _states->Origin[r];
                }
            }

            (Vector512<float>.One / sum).Store(_states->Shrink);
            AttentionGradients.Target result = new(_call.Y, _call.Type);
            AttentionPacking.StoreTile(_sums, lines, lines, _states->Shrink, in _call, result, cursor);
        }
    }
}
