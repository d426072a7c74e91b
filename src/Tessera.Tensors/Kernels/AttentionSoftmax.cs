using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Tessera.Tensors.Kernels;

/// <summary>
/// The streaming softmax of a tile's rows (arXiv 1805.02867): of all keys so far it keeps each row's largest score and
/// its sum of weights relative to that, 2^(score − largest), scores being in units of log2 e. A lane is a row in the
/// vectors of <see cref="RowStates"/>; a lane is a key in a row's scores.
/// </summary>
internal static unsafe class AttentionSoftmax
{
    private const int Stride = AttentionCall.BlockKeys;

    // Weights are written in whole panels of the bf16 tiles: pairs of vectors.
    private const int Pair = 2 * VectorMath.Width;

    /// <summary>
    /// Takes in the scores of one step: turns them into weights, as tiles read them, and brings the rows' states up to
    /// date. Keys that a row doesn't see get the weight 0, so that a row's bits don't depend on what else is in the
    /// tile.
    /// </summary>
    /// <param name="scores">
    /// Products of queries and keys, rows <see cref="AttentionCall.BlockKeys"/> apart; overwritten.
    /// </param>
    /// <param name="weights">Where the weights go, in the arithmetic's type, rows as far apart.</param>
    /// <param name="states">The rows' states.</param>
    /// <param name="rows">The rows of the tile.</param>
    /// <param name="keys">The keys of the step, whole panels.</param>
    /// <param name="call">Scale, cap and type.</param>
    [MethodImpl(Compiled.Alone)]
    public static void Step(
        float* scores, void* weights, RowStates* states, int rows, int keys, ref readonly AttentionCall call)
    {
        float factor = call.IsCapped ? 1 : call.ProductFactor;
        for (int r = 0; r < rows; r++)
        {
            int first = states->FirstKey[r], end = states->EndKey[r];
            if (call.IsCapped)
            {
                Cap(scores + (r * Stride), first, end, call.ProductFactor, call.CapFactor);
            }

            states->Largest[r] = Largest(scores + (r * Stride), first, end);
        }

        // A row that has seen nothing yet must not compute -inf - -inf.
        Vector512<float> before = Vector512.Load(states->Max);
        Vector512<float> max = Vector512.MaxNative(before, Vector512.Load(states->Largest) * Vector512.Create(factor));
        Vector512<float> isNothing = Vector512.Equals(max, Vector512.Create(float.NegativeInfinity));
        Vector512<float> origin = Vector512.ConditionalSelect(isNothing, Vector512<float>.Zero, max);
        Vector512<float> shrink = VectorMath.PowerOfTwo(before - origin);
        max.Store(states->Max);
        origin.Store(states->Origin);
        shrink.Store(states->Shrink);

        for (int r = 0; r < rows; r++)
        {
            Vector512<float> shift = Vector512.Create(-states->Origin[r]);
            int first = states->FirstKey[r], end = states->EndKey[r], at = r * Stride;
            states->Added[r] = call.Pairs
                ? WeighPairs(scores + at, (BFloat16*)weights + at, first, end, keys, factor, shift)
                : Weigh(scores + at, (float*)weights + at, first, end, keys, factor, shift);
        }

        Vector512<float> sum = Vector512.FusedMultiplyAdd(
            Vector512.Load(states->Sum), shrink, Vector512.Load(states->Added));
        sum.Store(states->Sum);
    }

    // Also hides the keys that the row doesn't see in its first and last vectors.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Largest(float* row, int first, int end)
    {
        if (first >= end)
        {
            return float.NegativeInfinity;
        }

        if (((first | end) & (Pair - 1)) != 0)
        {
            Hide(row, first, end);
        }

        Vector512<float> largest = Vector512.Create(float.NegativeInfinity);
        for (int i = first & -VectorMath.Width; i < end; i += VectorMath.Width)
        {
            largest = Vector512.MaxNative(largest, Vector512.Load(row + i));
        }

        return VectorMath.Max(largest);
    }

    [MethodImpl(Compiled.Alone)]
    private static void Hide(float* row, int first, int end)
    {
        Vector512<float> hidden = Vector512.Create(float.NegativeInfinity);
        for (int i = first & -Pair; i < first; i += VectorMath.Width)
        {
            Vector512.ConditionalSelect(VectorMath.FirstLanes(first - i), hidden, Vector512.Load(row + i)).Store(
                row + i);
        }

        int last = end & -VectorMath.Width, whole = (end + Pair - 1) & -Pair;
        for (int i = last; i < whole; i += VectorMath.Width)
        {
            Vector512.ConditionalSelect(VectorMath.FirstLanes(end - i), Vector512.Load(row + i), hidden).Store(row + i);
        }
    }

    [MethodImpl(Compiled.Alone)]
    private static void Cap(float* row, int first, int end, float inner, float outer)
    {
        for (int i = first & -VectorMath.Width; i < end; i += VectorMath.Width)
        {
            Vector512<float> tanh = VectorMath.Tanh(Vector512.Load(row + i) * Vector512.Create(inner));
            (tanh * Vector512.Create(outer)).Store(row + i);
        }
    }

    [MethodImpl(Compiled.Alone)]
    private static float Weigh(
        float* row, float* weights, int first, int end, int keys, float factor, Vector512<float> shift)
    {
        Vector512<float> factors = Vector512.Create(factor), sum = Vector512<float>.Zero;
        int i = 0;
        for (int from = Math.Min(first, end) & -VectorMath.Width; i < from; i += VectorMath.Width)
        {
            Vector512<float>.Zero.Store(weights + i);
        }

        for (; i < end; i += VectorMath.Width)
        {
            Vector512<float> weight = VectorMath.PowerOfTwo(
                Vector512.FusedMultiplyAdd(Vector512.Load(row + i), factors, shift));
            sum += weight;
            weight.Store(weights + i);
        }

        for (; i < keys; i += VectorMath.Width)
        {
            Vector512<float>.Zero.Store(weights + i);
        }

        return VectorMath.Sum(sum);
    }

    [MethodImpl(Compiled.Alone)]
    private static float WeighPairs(
        float* row, BFloat16* weights, int first, int end, int keys, float factor, Vector512<float> shift)
    {
        Vector512<float> factors = Vector512.Create(factor), sum = Vector512<float>.Zero;
        int i = 0;
        for (int from = Math.Min(first, end) & -Pair; i < from; i += Pair)
        {
            Vector512<ushort>.Zero.Store((ushort*)weights + i);
        }

        for (; i < end; i += Pair)
        {
            Vector512<float> low = VectorMath.PowerOfTwoRoughly(
                Vector512.FusedMultiplyAdd(Vector512.Load(row + i), factors, shift));
            Vector512<float> high = VectorMath.PowerOfTwoRoughly(
                Vector512.FusedMultiplyAdd(Vector512.Load(row + i + VectorMath.Width), factors, shift));
            sum += low;
            sum += high;
            VectorMath.StoreUpper(VectorMath.RoundRoughly(low), VectorMath.RoundRoughly(high), weights + i);
        }

        for (; i < keys; i += Pair)
        {
            Vector512<ushort>.Zero.Store((ushort*)weights + i);
        }

        return VectorMath.Sum(sum);
    }
}
