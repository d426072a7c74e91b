using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Tessera.Tensors.Kernels;

/// <summary>
/// The streaming softmax of a tile's rows (arXiv 1805.02867): of all keys so far it keeps each row's largest score and its sum of
/// e^(score − largest). A lane is a row in the vectors of <see cref="RowStates"/>; a lane is a key in a row's scores.
/// </summary>
internal static unsafe class AttentionSoftmax
{
    /// <summary>
    /// Takes in the scores of one step: turns them into weights, as tiles read them, and brings the rows' states up to date.
    /// Keys that a row doesn't see get the weight 0, so that a row's bits don't depend on what else is in the tile.
    /// </summary>
    /// <param name="scores">Products of queries and keys, <see cref="AttentionCall.BlockKeys"/> apart; overwritten.</param>
    /// <param name="weights">Where the weights go, in the arithmetic's type, <see cref="AttentionCall.BlockKeys"/> apart.</param>
    /// <param name="states">The rows' states.</param>
    /// <param name="rows">The rows of the tile.</param>
    /// <param name="keys">The keys of the step, whole vectors.</param>
    /// <param name="call">Scale, cap and type.</param>
    public static void Step(float* scores, void* weights, RowStates* states, int rows, int keys, in AttentionCall call)
    {
        bool capped = call.Cap > 0;
        float scale = capped ? 1 : call.Scale;
        for (int r = 0; r < rows; r++)
        {
            float* row = scores + (r * AttentionCall.BlockKeys);
            int first = states->FirstKey[r], end = states->EndKey[r];
            if (capped)
            {
                Cap(row, first, end, call.Scale, call.Cap);
            }

            states->Largest[r] = Largest(row, first, end);
        }

        // A row that has seen nothing yet must not compute -inf - -inf.
        Vector512<float> before = Vector512.Load(states->Max);
        Vector512<float> max = Vector512.MaxNative(before, Vector512.Load(states->Largest) * Vector512.Create(scale));
        Vector512<float> isNothing = Vector512.Equals(max, Vector512.Create(float.NegativeInfinity));
        Vector512<float> origin = Vector512.ConditionalSelect(isNothing, Vector512<float>.Zero, max);
        Vector512<float> shrink = VectorMath.Exp(before - origin);
        max.Store(states->Max);
        origin.Store(states->Origin);
        shrink.Store(states->Shrink);

        for (int r = 0; r < rows; r++)
        {
            float* row = scores + (r * AttentionCall.BlockKeys);
            int first = states->FirstKey[r], end = states->EndKey[r];
            float origin1 = states->Origin[r];
            states->Added[r] = call.Pairs
                ? Weigh<Brain>(row, (BFloat16*)weights + (r * AttentionCall.BlockKeys), first, end, keys, scale, origin1)
                : Weigh<Single>(row, (float*)weights + (r * AttentionCall.BlockKeys), first, end, keys, scale, origin1);
        }

        Vector512<float> sum = Vector512.FusedMultiplyAdd(
            Vector512.Load(states->Sum), shrink, Vector512.Load(states->Added));
        sum.Store(states->Sum);
    }

    // Also hides the keys at both ends of the row's first and last vector that it doesn't see.
    private static float Largest(float* row, int first, int end)
    {
        if (first >= end)
        {
            return float.NegativeInfinity;
        }

        Hide(row, first, end);
        Vector512<float> largest = Vector512.Create(float.NegativeInfinity);
        for (int i = first & -VectorMath.Width; i < end; i += VectorMath.Width)
        {
            largest = Vector512.MaxNative(largest, Vector512.Load(row + i));
        }

        return VectorMath.Max(largest);
    }

    private static void Hide(float* row, int first, int end)
    {
        int head = first & (VectorMath.Width - 1), tail = end & (VectorMath.Width - 1);
        Vector512<float> hidden = Vector512.Create(float.NegativeInfinity);
        if (head != 0)
        {
            float* at = row + first - head;
            Vector512.ConditionalSelect(VectorMath.FirstLanes(head), hidden, Vector512.Load(at)).Store(at);
        }

        if (tail != 0)
        {
            float* at = row + end - tail;
            Vector512.ConditionalSelect(VectorMath.FirstLanes(tail), Vector512.Load(at), hidden).Store(at);
        }
    }

    private static void Cap(float* row, int first, int end, float scale, float cap)
    {
        Vector512<float> inner = Vector512.Create(scale / cap), outer = Vector512.Create(cap);
        for (int i = first & -VectorMath.Width; i < end; i += VectorMath.Width)
        {
            (VectorMath.Tanh(Vector512.Load(row + i) * inner) * outer).Store(row + i);
        }
    }

    private static float Weigh<TWeight>(
        float* row, void* weights, int first, int end, int keys, float scale, float origin)
        where TWeight : struct, IWeight
    {
        Vector512<float> factor = Vector512.Create(scale), shift = Vector512.Create(-origin), sum = Vector512<float>.Zero;
        int i = 0;
        for (; i + VectorMath.Width <= Math.Min(first, end); i += VectorMath.Width)
        {
            TWeight.Store(Vector512<float>.Zero, weights, i);
        }

        for (; i < end; i += VectorMath.Width)
        {
            Vector512<float> weight = VectorMath.ExpNonPositive(
                Vector512.FusedMultiplyAdd(Vector512.Load(row + i), factor, shift));
            sum += weight;
            TWeight.Store(weight, weights, i);
        }

        for (; i < keys; i += VectorMath.Width)
        {
            TWeight.Store(Vector512<float>.Zero, weights, i);
        }

        return VectorMath.Sum(sum);
    }

    private interface IWeight
    {
        static abstract void Store(Vector512<float> values, void* weights, int index);
    }

    private readonly struct Single : IWeight
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Store(Vector512<float> values, void* weights, int index) => values.Store((float*)weights + index);
    }

    private readonly struct Brain : IWeight
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Store(Vector512<float> values, void* weights, int index) =>
            VectorMath.StoreBFloat16(values, (BFloat16*)weights + index);
    }
}
