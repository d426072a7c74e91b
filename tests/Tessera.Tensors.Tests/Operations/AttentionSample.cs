namespace Tessera.Tensors.Tests.Operations;

/// <summary>Random operands of attention, and attention run on them whole, in slices, and by its definition.</summary>
internal sealed class AttentionSample
{
    private readonly Random _random;

    public AttentionSample(
        int seed, int heads, int keyHeads, int headSize, AttentionOptions options, bool sinks, params int[] lengths)
    {
        _random = new Random(seed);
        (Heads, Options, Lengths) = (new AttentionHeads(heads, keyHeads, headSize), options, lengths);
        int rows = lengths.Sum();
        Q = Values(rows * heads * headSize);
        K = Values(rows * keyHeads * headSize);
        V = Values(rows * keyHeads * headSize);
        Upstream = Values(rows * heads * headSize);
        Sinks = sinks ? Values(heads) : [];
    }

    private AttentionSample(AttentionSample of, int start, int length)
    {
        _random = of._random;
        (Heads, Options, Lengths, Sinks) = (of.Heads, of.Options, [length], of.Sinks);
        Range rows = (start * RowSize)..((start + length) * RowSize),
            keys = (start * KeyRowSize)..((start + length) * KeyRowSize);
        (Q, K, V, Upstream) = (of.Q[rows], of.K[keys], of.V[keys], of.Upstream[rows]);
    }

    public AttentionHeads Heads { get; }

    public AttentionOptions Options { get; }

    public int[] Lengths { get; }

    // All values are bf16 numbers, so that they are the same operands in every type.
    public double[] Q { get; }

    public double[] K { get; }

    public double[] V { get; }

    public double[] Upstream { get; }

    public double[] Sinks { get; }

    public int RowSize => Heads.Heads * Heads.HeadSize;

    public int KeyRowSize => Heads.KeyHeads * Heads.HeadSize;

    public override string ToString() => $"{Heads}, {string.Join(',', Lengths)}, {Options}, sinks {Sinks.Length > 0}";

    /// <summary>Returns one sequence of the batch, as a batch of its own.</summary>
    public AttentionSample Sequence(int start, int length) => new(this, start, length);

    public static double[] Doubles(Tensor tensor) => tensor.DType switch
    {
        DType.F64 => tensor.ToArray<double>(),
        DType.F32 => Array.ConvertAll(tensor.ToArray<float>(), x => (double)x),
        _ => Array.ConvertAll(tensor.ToArray<BFloat16>(), x => (double)x),
    };

    public static void SetUpstream(Tensor y, Tensor upstream)
    {
        if (upstream.DType == DType.BF16)
        {
            Tape.SetGradient<BFloat16>(y, upstream.Span<BFloat16>());
        }
        else
        {
            Tape.SetGradient<float>(y, upstream.Span<float>());
        }
    }

    /// <summary>Returns the result and the four gradients by the definition, in double.</summary>
    public double[][] Expected()
    {
        double[] y = new double[Q.Length],
            dq = new double[Q.Length], dk = new double[K.Length], dv = new double[V.Length];
        double[] dSinks = new double[Sinks.Length];
        int start = 0;
        foreach (int length in Lengths)
        {
            Range rows = (start * RowSize)..((start + length) * RowSize),
                keys = (start * KeyRowSize)..((start + length) * KeyRowSize);
            Ops.AttentionReference(
                Q.AsSpan(rows), K.AsSpan(keys), V.AsSpan(keys), Sinks, y.AsSpan(rows), Heads, Options);
            Ops.AttentionReferenceGradient<double>(
                Q.AsSpan(rows), K.AsSpan(keys), V.AsSpan(keys), Sinks, Upstream.AsSpan(rows),
                dq.AsSpan(rows), dk.AsSpan(keys), dv.AsSpan(keys), dSinks, Heads, Options);
            start += length;
        }

        return [y, dq, dk, dv, dSinks];
    }

    /// <summary>Returns the result and the four gradients of the operation.</summary>
    public double[][] Run(DType type)
    {
        using TensorScope scope = TensorScope.Begin();
        Tensor q = Tensor(type, Q, Heads.Heads),
            k = Tensor(type, K, Heads.KeyHeads), v = Tensor(type, V, Heads.KeyHeads);
        q.Tracked = k.Tracked = v.Tracked = true;
        Parameter? sinks = SinkParameter();
        using Tape tape = Tape.Start();
        Tensor result = Ops.Attention(q, k, v, Segments.Of(Lengths), Options, sinks: sinks);
        double[] y = Doubles(result);
        SetUpstream(result, Tensor(type, Upstream, Heads.Heads));
        tape.Backward();
        return [y, Doubles(q.Gradient!), Doubles(k.Gradient!), Doubles(v.Gradient!), sinks is null ? [] : Doubles(
            sinks.Gradient!)];
    }

    /// <summary>Returns the result of the operation without a cache.</summary>
    public double[] Forward(DType type)
    {
        using TensorScope scope = TensorScope.Begin();
        Tensor q = Tensor(type, Q, Heads.Heads),
            k = Tensor(type, K, Heads.KeyHeads), v = Tensor(type, V, Heads.KeyHeads);
        return Doubles(Ops.Attention(q, k, v, Segments.Of(Lengths), Options, sinks: SinkParameter()));
    }

    /// <summary>
    /// Returns the result with a cache, every sequence in slices of so many rows, all sequences of a turn in one call.
    /// </summary>
    /// <param name="type">The type of the operands.</param>
    /// <param name="cache">A cache with enough blocks; blocks are taken in a scattered order.</param>
    /// <param name="slice">Rows a turn.</param>
    public double[] ForwardInSlices(DType type, KeyValueCache cache, int slice)
    {
        int[][] blocks = Blocks(cache.Size);
        double[] y = new double[Q.Length];
        Segments segments = new();
        for (int past = 0; past < Lengths.Max(); past += slice)
        {
            using TensorScope scope = TensorScope.Begin();
            segments.Clear();
            List<int> rows = [];
            for (int i = 0, start = 0; i < Lengths.Length; start += Lengths[i++])
            {
                int count = Math.Clamp(Lengths[i] - past, 0, slice);
                segments.Add(count, Math.Min(past, Lengths[i]), blocks[i]);
                rows.AddRange(Enumerable.Range(start + past, count));
            }

            Tensor q = Pick(type, Q, rows, Heads.Heads),
                k = Pick(type, K, rows, Heads.KeyHeads), v = Pick(type, V, rows, Heads.KeyHeads);
            cache.Append(0, segments, k, v);
            double[] part = Doubles(Ops.Attention(q, k, v, segments, Options, cache, 0, SinkParameter()));
            for (int i = 0; i < rows.Count; i++)
            {
                part.AsSpan(i * RowSize, RowSize).CopyTo(y.AsSpan(rows[i] * RowSize));
            }
        }

        return y;
    }

    public Parameter? SinkParameter()
    {
        if (Sinks.Length == 0)
        {
            return null;
        }

        Tensor values = Tessera.Tensors.Tensor.Allocate(new Shape(Sinks.Length), DType.F32);
        values.Fill<float>(Array.ConvertAll(Sinks, x => (float)x));
        return new Parameter("sinks", values);
    }

    public Tensor Tensor(DType type, double[] values, int heads)
    {
        Shape shape = new(values.Length / (heads * Heads.HeadSize), heads, Heads.HeadSize);
        return type == DType.BF16
            ? Tessera.Tensors.Tensor.From<BFloat16>(shape, Array.ConvertAll(values, x => (BFloat16)(float)x))
            : Tessera.Tensors.Tensor.From<float>(shape, Array.ConvertAll(values, x => (float)x));
    }

    private Tensor Pick(DType type, double[] values, List<int> rows, int heads)
    {
        int size = heads * Heads.HeadSize;
        return Tensor(type, [.. rows.SelectMany(row => values.Skip(row * size).Take(size))], heads);
    }

    private int[][] Blocks(KeyValueCacheSize size)
    {
        int[] order = [.. Enumerable.Range(0, size.Blocks)];
        new Random(5).Shuffle(order);
        int next = 0;
        return [.. Lengths.Select(length =>
        {
            int count = size.BlocksFor(length);
            next += count;
            return order[(next - count)..next];
        })];
    }

    private double[] Values(int count)
    {
        double[] values = new double[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = (BFloat16)(float)((_random.NextDouble() * 4) - 2);
        }

        return values;
    }
}
