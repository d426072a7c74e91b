using System.Numerics;

namespace Tessera.Tensors;

/// <content>The definition of attention over one sequence, and of its gradient.</content>
public static unsafe partial class Ops
{
    /// <summary>
    /// The definition for one sequence: y of each row and head is the mean of the values that it sees, weighted by the
    /// softmax of the scores. There may be fewer queries than keys: they are the sequence's last positions.
    /// </summary>
    /// <param name="q">Queries (L, H, D).</param>
    /// <param name="k">Keys (P + L, K, D), P of them before the first query.</param>
    /// <param name="v">Values (P + L, K, D).</param>
    /// <param name="sinks">One logit a head (H) that joins the denominator only, or empty.</param>
    /// <param name="y">The result (L, H, D).</param>
    /// <param name="heads">H, K and D.</param>
    /// <param name="options">Scale, window and cap.</param>
    public static void AttentionReference<T>(
        ReadOnlySpan<T> q, ReadOnlySpan<T> k, ReadOnlySpan<T> v, ReadOnlySpan<T> sinks, Span<T> y,
        AttentionHeads heads, AttentionOptions options)
        where T : IFloatingPointIeee754<T>
    {
        AttentionRows rows = new(q.Length, k.Length, heads);
        int D = heads.HeadSize;
        T[] weights = new T[rows.Keys];
        for (int i = 0; i < rows.Queries; i++)
        {
            for (int h = 0; h < heads.Heads; h++)
            {
                int first = options.FirstKey(rows.Past + i), end = rows.Past + i + 1;
                AttentionWeights(q.Slice(rows.Query(i, h), D), k, sinks, weights, rows, h, first, end, options);

                Span<T> to = y.Slice(rows.Query(i, h), D);
                to.Clear();
                for (int j = first; j < end; j++)
                {
                    ReadOnlySpan<T> value = v.Slice(rows.Key(j, h), D);
                    for (int d = 0; d < D; d++)
                    {
                        to[d] += weights[j] * value[d];
                    }
                }
            }
        }
    }

    /// <summary>
    /// The gradient's definition; adds to <paramref name="dq"/>, <paramref name="dk"/>, <paramref name="dv"/> and,
    /// where there are sinks, <paramref name="dSinks"/>.
    /// </summary>
    public static void AttentionReferenceGradient<T>(
        ReadOnlySpan<T> q, ReadOnlySpan<T> k, ReadOnlySpan<T> v, ReadOnlySpan<T> sinks, ReadOnlySpan<T> dy,
        Span<T> dq, Span<T> dk, Span<T> dv, Span<T> dSinks, AttentionHeads heads, AttentionOptions options)
        where T : IFloatingPointIeee754<T>
    {
        AttentionRows rows = new(q.Length, k.Length, heads);
        int D = heads.HeadSize;
        T[] weights = new T[rows.Keys], pulls = new T[rows.Keys];
        T scale = T.CreateChecked(options.ScaleFor(D));
        for (int i = 0; i < rows.Queries; i++)
        {
            for (int h = 0; h < heads.Heads; h++)
            {
                int first = options.FirstKey(rows.Past + i), end = rows.Past + i + 1, at = rows.Query(i, h);
                T sink = AttentionWeights(q.Slice(at, D), k, sinks, weights, rows, h, first, end, options);

                // The softmax's gradient: each weight's own pull less the mean of all; the sink's own pull is 0.
                T mean = T.Zero;
                for (int j = first; j < end; j++)
                {
                    pulls[j] = AttentionDot(dy.Slice(at, D), v.Slice(rows.Key(j, h), D));
                    mean += weights[j] * pulls[j];
                }

                for (int j = first; j < end; j++)
                {
                    int key = rows.Key(j, h);
                    T score = AttentionDot(q.Slice(at, D), k.Slice(key, D)) * scale;
                    T ds = weights[j] * (pulls[j] - mean) * AttentionCapSlope(score, options) * scale;
                    for (int d = 0; d < D; d++)
                    {
                        dq[at + d] += ds * k[key + d];
                        dk[key + d] += ds * q[at + d];
                        dv[key + d] += weights[j] * dy[at + d];
                    }
                }

                if (!sinks.IsEmpty)
                {
                    dSinks[h] -= sink * mean;
                }
            }
        }
    }

    /// <summary>
    /// Fills the weights of the keys from first to end; returns that of the sink (0 where there is none).
    /// </summary>
    private static T AttentionWeights<T>(
        ReadOnlySpan<T> q, ReadOnlySpan<T> k, ReadOnlySpan<T> sinks, Span<T> weights, AttentionRows rows, int head,
        int first, int end, AttentionOptions options)
        where T : IFloatingPointIeee754<T>
    {
        T scale = T.CreateChecked(options.ScaleFor(q.Length));
        T max = sinks.IsEmpty ? T.NegativeInfinity : sinks[head];
        for (int j = first; j < end; j++)
        {
            T score = AttentionDot(q, k.Slice(rows.Key(j, head), q.Length)) * scale;
            weights[j] = AttentionCap(score, options);
            max = T.Max(max, weights[j]);
        }

        T sink = sinks.IsEmpty ? T.Zero : T.Exp(sinks[head] - max);
        T sum = sink;
        for (int j = first; j < end; j++)
        {
            weights[j] = T.Exp(weights[j] - max);
            sum += weights[j];
        }

        for (int j = first; j < end; j++)
        {
            weights[j] /= sum;
        }

        return sink / sum;
    }

    private static T AttentionCap<T>(T score, AttentionOptions options)
        where T : IFloatingPointIeee754<T> =>
        options.SoftCap is { } c ? T.CreateChecked(c) * T.Tanh(score / T.CreateChecked(c)) : score;

    private static T AttentionCapSlope<T>(T score, AttentionOptions options)
        where T : IFloatingPointIeee754<T>
    {
        if (options.SoftCap is not { } c)
        {
            return T.One;
        }

        T tanh = T.Tanh(score / T.CreateChecked(c));
        return T.One - (tanh * tanh);
    }

    private static T AttentionDot<T>(ReadOnlySpan<T> a, ReadOnlySpan<T> b)
        where T : IFloatingPointIeee754<T>
    {
        T sum = T.Zero;
        for (int i = 0; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }

    /// <summary>Knows where the heads of queries and keys lie.</summary>
    private readonly struct AttentionRows(int queryCount, int keyCount, AttentionHeads heads)
    {
        public int Queries { get; } = queryCount / (heads.Heads * heads.HeadSize);

        public int Keys { get; } = keyCount / (heads.KeyHeads * heads.HeadSize);

        public int Past => Keys - Queries;

        public int Query(int row, int head) => ((row * heads.Heads) + head) * heads.HeadSize;

        public int Key(int row, int head) => ((row * heads.KeyHeads) + (head / heads.GroupSize)) * heads.HeadSize;
    }
}
