namespace Tessera.Tensors;

/// <summary>Computes attention over a ragged batch by its definition, sequence by sequence.</summary>
internal static class AttentionByDefinition
{
    public static void Forward(
        Tensor q, Tensor k, Tensor v, Segments segments, AttentionOptions options, KeyValueCache? cache, int layer,
        Parameter? sinks, Tensor y)
    {
        (_, int H, int D) = q.Shape;
        AttentionHeads heads = new(H, k.Shape[1], D);
        double[] queries = Doubles(q), keys = Doubles(k), values = Doubles(v), result = new double[queries.Length];
        double[] logits = sinks is null ? [] : Doubles(sinks.Value);
        for (int i = 0; i < segments.Count; i++)
        {
            Range rows = Rows(segments, i, H * D), keyRows = Rows(segments, i, heads.KeyHeads * D);
            ReadOnlySpan<double> keysSeen = keys.AsSpan(keyRows), valuesSeen = values.AsSpan(keyRows);
            if (cache is not null)
            {
                (keysSeen, valuesSeen) = Cached(cache, layer, segments, i);
            }

            Ops.AttentionReference(
                queries.AsSpan(rows), keysSeen, valuesSeen, logits, result.AsSpan(rows), heads, options);
        }

        Add(result, y, accumulate: false);
    }

    public static void Backward(
        Tensor q, Tensor k, Tensor v, Segments segments, AttentionOptions options, Parameter? sinks, Tensor dy)
    {
        (_, int H, int D) = q.Shape;
        AttentionHeads heads = new(H, k.Shape[1], D);
        double[] queries = Doubles(q), keys = Doubles(k), values = Doubles(v), upstream = Doubles(dy);
        double[] logits = sinks is null ? [] : Doubles(sinks.Value);
        double[] dq = new double[queries.Length], dk = new double[keys.Length], dv = new double[keys.Length];
        double[] dSinks = new double[logits.Length];
        for (int i = 0; i < segments.Count; i++)
        {
            Range rows = Rows(segments, i, H * D), keyRows = Rows(segments, i, heads.KeyHeads * D);
            Ops.AttentionReferenceGradient<double>(
                queries.AsSpan(rows), keys.AsSpan(keyRows), values.AsSpan(keyRows), logits, upstream.AsSpan(rows),
                dq.AsSpan(rows), dk.AsSpan(keyRows), dv.AsSpan(keyRows), dSinks, heads, options);
        }

        AddGradient(dq, q);
        AddGradient(dk, k);
        AddGradient(dv, v);
        if (sinks is { Frozen: false })
        {
            Tensor gradient = sinks.GradientToWrite(out bool accumulate);
            Add(dSinks, gradient, accumulate);
        }
    }

    private static Range Rows(Segments segments, int segment, int rowSize)
    {
        int start = segments.Start(segment) * rowSize;
        return start..(start + (segments.Length(segment) * rowSize));
    }

    private static (double[] Keys, double[] Values) Cached(
        KeyValueCache cache, int layer, Segments segments, int segment)
    {
        int positions = segments.Past(segment) + segments.Length(segment);
        int count = positions * cache.Size.KeyHeads * cache.Size.HeadSize;
        ReadOnlySpan<int> blocks = segments.Blocks(segment);
        return cache.Size.Type switch
        {
            DType.F64 => Copy<double>(blocks, static x => x),
            DType.F32 => Copy<float>(blocks, static x => x),
            _ => Copy<BFloat16>(blocks, static x => x),
        };

        (double[] Keys, double[] Values) Copy<T>(ReadOnlySpan<int> blocks, Converter<T, double> convert)
            where T : unmanaged
        {
            T[] k = new T[count], v = new T[count];
            cache.CopyOut<T>(layer, blocks, positions, k, v);
            return (Array.ConvertAll(k, convert), Array.ConvertAll(v, convert));
        }
    }

    private static double[] Doubles(Tensor tensor) => tensor.DType switch
    {
        DType.F64 => tensor.ToArray<double>(),
        DType.F32 => Array.ConvertAll(tensor.ToArray<float>(), static x => (double)x),
        _ => Array.ConvertAll(tensor.ToArray<BFloat16>(), static x => (double)x),
    };

    private static void AddGradient(double[] values, Tensor tensor)
    {
        if (tensor.Tracked)
        {
            Add(values, tensor.GradientToWrite(out bool accumulate), accumulate);
        }
    }

    private static void Add(double[] values, Tensor to, bool accumulate)
    {
        double[] sum = accumulate ? Doubles(to) : new double[values.Length];
        for (int i = 0; i < sum.Length; i++)
        {
            sum[i] += values[i];
        }

        switch (to.DType)
        {
            case DType.F64: to.Fill<double>(sum); break;
            case DType.F32: to.Fill<float>(Array.ConvertAll(sum, static x => (float)x)); break;
            default: to.Fill<BFloat16>(Array.ConvertAll(sum, static x => (BFloat16)(float)x)); break;
        }
    }
}
