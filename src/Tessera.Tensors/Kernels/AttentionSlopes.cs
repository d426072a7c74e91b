using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Tessera.Tensors.Kernels;

/// <summary>
/// Turns a block's scores (lines × keys) and pulls (dY · Vᵀ) into the softmax's weights and the slopes of the scores,
/// in the forms that the products take: as rows of lines, and woven in pairs of lines for the products over lines.
/// </summary>
internal readonly unsafe struct AttentionSlopes
{
    /// <summary>The pieces of scratch memory that are taken.</summary>
    public const int Pieces = 5;

    private const int Keys = AttentionGradientItem.BlockKeys;
    private const int Pair = 2 * VectorMath.Width;

    private readonly float* _scores;
    private readonly float* _pulls;
    private readonly byte* _weights; // [line or pair of lines][key]
    private readonly byte* _slopes; // the same
    private readonly byte* _slopeRows; // [line][key], bf16; in fp32 it is the same as _slopes

    public AttentionSlopes(int lines, ref ThreadScratch scratch)
    {
        long bytes = Bytes(lines) / Pieces;
        _scores = (float*)scratch.Take(bytes);
        _pulls = (float*)scratch.Take(bytes);
        _weights = scratch.Take(bytes);
        _slopes = scratch.Take(bytes);
        _slopeRows = scratch.Take(bytes);
    }

    /// <summary>Returns the scratch memory that is taken for so many lines.</summary>
    public static long Bytes(int lines) => (long)Pieces * lines * Keys * sizeof(float);

    /// <summary>Returns where the scores of a line go, those of the next one <see cref="Keys"/> further.</summary>
    public float* Scores(int line) => _scores + (line * Keys);

    /// <summary>Returns where the pulls of a line go.</summary>
    public float* Pulls(int line) => _pulls + (line * Keys);

    /// <summary>Returns the weights from a line and key on, [line or pair][key] of 4 bytes.</summary>
    public byte* Weights(int line, int key, bool pairs) =>
        _weights + ((((pairs ? line / 2 : line) * Keys) + key) * sizeof(uint));

    /// <summary>Returns the slopes from a line and key on, [line or pair][key] of 4 bytes.</summary>
    public byte* Slopes(int line, int key, bool pairs) =>
        _slopes + ((((pairs ? line / 2 : line) * Keys) + key) * sizeof(uint));

    /// <summary>Returns the slopes from a line on, [line][key].</summary>
    public byte* SlopeRows(int line, bool pairs) =>
        pairs ? _slopeRows + (line * Keys * sizeof(ushort)) : _slopes + (line * Keys * sizeof(float));

    /// <summary>Computes the weights and slopes of a line (an even one) and the next.</summary>
    public void ComputePair(int line, in Line first, in Line second, ref readonly AttentionCall call)
    {
        if (call.IsCapped)
        {
            ComputePair<Capped>(line, in first, in second, in call);
        }
        else
        {
            ComputePair<Plain>(line, in first, in second, in call);
        }
    }

    [MethodImpl(Compiled.Alone)]
    private void ComputePair<TScore>(int line, in Line first, in Line second, ref readonly AttentionCall call)
        where TScore : struct, IScore
    {
        float inner = call.ProductFactor, outer = call.CapFactor;
        bool pairs = call.Pairs;
        for (int key = 0; key < Keys; key += Pair)
        {
            int at = (line * Keys) + key, next = at + VectorMath.Width;
            bool isWhole = first.SeesAll(key) && second.SeesAll(key);
            Slope a, b, c, d;
            if (pairs && isWhole)
            {
                a = Compute<TScore, Rough>(at, in first, inner, outer);
                b = Compute<TScore, Rough>(next, in first, inner, outer);
                c = Compute<TScore, Rough>(at + Keys, in second, inner, outer);
                d = Compute<TScore, Rough>(next + Keys, in second, inner, outer);
            }
            else
            {
                a = ComputePart<TScore>(at, key, in first, inner, outer, pairs);
                b = ComputePart<TScore>(next, key + VectorMath.Width, in first, inner, outer, pairs);
                c = ComputePart<TScore>(at + Keys, key, in second, inner, outer, pairs);
                d = ComputePart<TScore>(next + Keys, key + VectorMath.Width, in second, inner, outer, pairs);
            }

            if (pairs)
            {
                StorePairs(line, key, in a, in b, in c, in d);
            }
            else
            {
                Store(at, in a);
                Store(next, in b);
                Store(at + Keys, in c);
                Store(next + Keys, in d);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Store(int at, in Slope slope)
    {
        slope.Weight.Store((float*)_weights + at);
        slope.Value.Store((float*)_slopes + at);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void StorePairs(int line, int key, in Slope a, in Slope b, in Slope c, in Slope d)
    {
        int pair = (line / 2 * Keys) + key, next = pair + VectorMath.Width;
        Vector512<uint> a1 = VectorMath.RoundRoughly(a.Value), b1 = VectorMath.RoundRoughly(b.Value);
        Vector512<uint> c1 = VectorMath.RoundRoughly(c.Value), d1 = VectorMath.RoundRoughly(d.Value);
        VectorMath.Weave(a1, c1).Store((uint*)_slopes + pair);
        VectorMath.Weave(b1, d1).Store((uint*)_slopes + next);
        VectorMath.StoreUpper(a1, b1, (BFloat16*)_slopeRows + (line * Keys) + key);
        VectorMath.StoreUpper(c1, d1, (BFloat16*)_slopeRows + ((line + 1) * Keys) + key);
        Vector512<uint> a2 = VectorMath.RoundRoughly(a.Weight), b2 = VectorMath.RoundRoughly(b.Weight);
        Vector512<uint> c2 = VectorMath.RoundRoughly(c.Weight), d2 = VectorMath.RoundRoughly(d.Weight);
        VectorMath.Weave(a2, c2).Store((uint*)_weights + pair);
        VectorMath.Weave(b2, d2).Store((uint*)_weights + next);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Slope Compute<TScore, TPower>(int at, in Line line, float inner, float outer)
        where TScore : struct, IScore
        where TPower : struct, IPower
    {
        (Vector512<float> exponent, Vector512<float> slope) =
            TScore.Compute(Vector512.Load(_scores + at), inner, outer, line.LogSum);
        Vector512<float> weight = TPower.Compute(exponent);
        Vector512<float> pull = Vector512.Load(_pulls + at) - Vector512.Create(line.Delta);
        return new(weight, weight * pull * slope);
    }

    [MethodImpl(Compiled.Alone)]
    private Slope ComputePart<TScore>(int at, int key, in Line line, float inner, float outer, bool roughly)
        where TScore : struct, IScore
    {
        if (key >= line.EndKey || key + VectorMath.Width <= line.FirstKey)
        {
            return default;
        }

        Slope slope = roughly
            ? Compute<TScore, Rough>(at, in line, inner, outer)
            : Compute<TScore, Fine>(at, in line, inner, outer);
        Vector512<float> seen = Vector512.AndNot(
            VectorMath.FirstLanes(line.EndKey - key), VectorMath.FirstLanes(line.FirstKey - key));
        return new(slope.Weight & seen, slope.Value & seen);
    }

    /// <summary>Says which of a block's keys a line sees, and the two facts that its softmax left.</summary>
    public readonly record struct Line(int FirstKey, int EndKey, float LogSum, float Delta)
    {
        /// <summary>Returns whether the line sees a key and all of the pair of vectors that begins with it.</summary>
        public bool SeesAll(int key) => key >= FirstKey && key + Pair <= EndKey;
    }

    private readonly struct Slope(Vector512<float> weight, Vector512<float> value)
    {
        public readonly Vector512<float> Weight = weight, Value = value;
    }

    private interface IScore
    {
        /// <summary>
        /// Returns the exponent of 2 that a product of query and key stands for, and the score's slope by the scaled
        /// product.
        /// </summary>
        static abstract (Vector512<float> Exponent, Vector512<float> Slope) Compute(
            Vector512<float> product, float inner, float outer, float logSum);
    }

    private interface IPower
    {
        static abstract Vector512<float> Compute(Vector512<float> exponent);
    }

    private readonly struct Plain : IScore
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static (Vector512<float> Exponent, Vector512<float> Slope) Compute(
            Vector512<float> product, float inner, float outer, float logSum) =>
            (Vector512.FusedMultiplyAdd(product, Vector512.Create(inner), Vector512.Create(-logSum)),
                Vector512<float>.One);
    }

    private readonly struct Capped : IScore
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static (Vector512<float> Exponent, Vector512<float> Slope) Compute(
            Vector512<float> product, float inner, float outer, float logSum)
        {
            Vector512<float> tanh = VectorMath.Tanh(product * Vector512.Create(inner));
            Vector512<float> exponent = Vector512.FusedMultiplyAdd(
                tanh, Vector512.Create(outer), Vector512.Create(-logSum));
            return (exponent, Vector512<float>.One - (tanh * tanh));
        }
    }

    private readonly struct Fine : IPower
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Compute(Vector512<float> exponent) => VectorMath.PowerOfTwo(exponent);
    }

    private readonly struct Rough : IPower
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Compute(Vector512<float> exponent) => VectorMath.PowerOfTwoRoughly(exponent);
    }
}
