using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Tessera.Tensors.Kernels;

/// <summary>
/// Turns a block's scores (lines × keys) and pulls (dY · Vᵀ) into the softmax's weights and the slopes of the scores, in the forms that
/// the products take: as rows of lines, and woven in pairs of lines for the products over lines.
/// </summary>
internal readonly unsafe struct AttentionSlopes
{
    /// <summary>The pieces of scratch memory that are taken.</summary>
    public const int Pieces = 5;

    private const int Keys = AttentionGradientItem.BlockKeys;

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
    public byte* Weights(int line, int key, bool pairs) => _weights + ((((pairs ? line / 2 : line) * Keys) + key) * sizeof(uint));

    /// <summary>Returns the slopes from a line and key on, [line or pair][key] of 4 bytes.</summary>
    public byte* Slopes(int line, int key, bool pairs) => _slopes + ((((pairs ? line / 2 : line) * Keys) + key) * sizeof(uint));

    /// <summary>Returns the slopes from a line on, [line][key].</summary>
    public byte* SlopeRows(int line, bool pairs) =>
        pairs ? _slopeRows + (line * Keys * sizeof(ushort)) : _slopes + (line * Keys * sizeof(float));

    /// <summary>Computes the weights and slopes of a line (an even one) and the next.</summary>
    public void ComputePair(int line, in Line first, in Line second, in AttentionCall call)
    {
        if (call.Cap > 0)
        {
            ComputePair<Capped>(line, in first, in second, in call);
        }
        else
        {
            ComputePair<Plain>(line, in first, in second, in call);
        }
    }

    private void ComputePair<TScore>(int line, in Line first, in Line second, in AttentionCall call)
        where TScore : struct, IScore
    {
        for (int key = 0; key < Keys; key += VectorMath.Width)
        {
            int at = (line * Keys) + key;
            (Vector512<float> weight0, Vector512<float> slope0) = Compute<TScore>(at, key, in first, in call);
            (Vector512<float> weight1, Vector512<float> slope1) = Compute<TScore>(at + Keys, key, in second, in call);
            if (call.Pairs)
            {
                Vector512<uint> rounded0 = VectorMath.RoundToBFloat16(slope0), rounded1 = VectorMath.RoundToBFloat16(slope1);
                int pair = ((line / 2) * Keys) + key;
                Weave(VectorMath.RoundToBFloat16(weight0), VectorMath.RoundToBFloat16(weight1)).Store((uint*)_weights + pair);
                Weave(rounded0, rounded1).Store((uint*)_slopes + pair);
                VectorMath.StoreUpper(rounded0, (BFloat16*)_slopeRows + at);
                VectorMath.StoreUpper(rounded1, (BFloat16*)_slopeRows + at + Keys);
            }
            else
            {
                weight0.Store((float*)_weights + at);
                weight1.Store((float*)_weights + at + Keys);
                slope0.Store((float*)_slopes + at);
                slope1.Store((float*)_slopes + at + Keys);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private (Vector512<float> Weight, Vector512<float> Slope) Compute<TScore>(int at, int key, in Line line, in AttentionCall call)
        where TScore : struct, IScore
    {
        if (key >= line.EndKey || key + VectorMath.Width <= line.FirstKey)
        {
            return default;
        }

        (Vector512<float> score, Vector512<float> slope) = TScore.Compute(Vector512.Load(_scores + at), in call);
        Vector512<float> weight = VectorMath.Exp(score - Vector512.Create(line.LogSum));
        if (key < line.FirstKey || key + VectorMath.Width > line.EndKey)
        {
            weight &= VectorMath.FirstLanes(line.EndKey - key);
            weight = Vector512.AndNot(weight, VectorMath.FirstLanes(line.FirstKey - key));
        }

        Vector512<float> pull = Vector512.Load(_pulls + at) - Vector512.Create(line.Delta);
        return (weight, weight * pull * slope);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Weave(Vector512<uint> even, Vector512<uint> odd) =>
        (even >>> 16) | (odd & Vector512.Create(0xFFFF0000u));

    /// <summary>Says which of a block's keys a line sees, and the two facts that its softmax left.</summary>
    public readonly record struct Line(int FirstKey, int EndKey, float LogSum, float Delta);

    private interface IScore
    {
        /// <summary>Returns the score of a product of query and key and its slope by the scaled product.</summary>
        static abstract (Vector512<float> Score, Vector512<float> Slope) Compute(Vector512<float> product, in AttentionCall call);
    }

    private readonly struct Plain : IScore
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static (Vector512<float> Score, Vector512<float> Slope) Compute(Vector512<float> product, in AttentionCall call) =>
            (product * Vector512.Create(call.Scale), Vector512<float>.One);
    }

    private readonly struct Capped : IScore
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static (Vector512<float> Score, Vector512<float> Slope) Compute(Vector512<float> product, in AttentionCall call)
        {
            Vector512<float> tanh = VectorMath.Tanh(product * Vector512.Create(call.Scale / call.Cap));
            return (tanh * Vector512.Create(call.Cap), Vector512<float>.One - (tanh * tanh));
        }
    }
}
