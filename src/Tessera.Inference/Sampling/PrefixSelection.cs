using System.Runtime.CompilerServices;

namespace Tessera.Inference.Sampling;

/// <summary>
/// Finds where the smallest prefix of an order ends whose weights reach a target, without sorting: a radix search that
/// each time keeps only the bucket in which the running sum crosses the target.
/// </summary>
internal static class PrefixSelection
{
    /// <summary>The length of the histogram that a search needs.</summary>
    public const int HistogramLength = 1 << DigitBits;

    // 11 bits: six passes cover 64 bits, and the histogram (16 KiB of doubles) stays in the first-level cache.
    private const int DigitBits = 11;

    /// <summary>
    /// Finds the last item of the smallest prefix whose weights sum to at least the target (or the last of all).
    /// </summary>
    /// <param name="items">The order and the weights.</param>
    /// <param name="positions">The items to search, at least one, by ascending position; overwritten.</param>
    /// <param name="target">The sum to reach.</param>
    /// <param name="histogram">Scratch of <see cref="HistogramLength"/>.</param>
    public static Cut Find<T>(T items, Span<int> positions, double target, Span<double> histogram)
        where T : ISelectionItems, allows ref struct
    {
        double reached = 0;
        for (int shift = 64 - DigitBits; positions.Length > 1 && shift > -DigitBits; shift -= DigitBits)
        {
            int low = Math.Max(shift, 0);
            int bucket = FindBucket(items, positions, low, target, histogram, ref reached);
            positions = positions[..Gather(items, positions, low, bucket)];
        }

        // What is left has equal keys: lower positions come first.
        for (int i = 0; i < positions.Length - 1; i++)
        {
            reached += items.Weight(positions[i]);
            if (reached >= target)
            {
                return new Cut(items.Key(positions[i]), positions[i]);
            }
        }

        return new Cut(items.Key(positions[^1]), positions[^1]);
    }

    /// <summary>The definition: sorts everything and adds up.</summary>
    public static Cut Reference<T>(T items, Span<int> positions, double target)
        where T : ISelectionItems, allows ref struct
    {
        int[] order = positions.ToArray();
        ulong[] keys = new ulong[order.Length];
        for (int i = 0; i < order.Length; i++)
        {
            keys[i] = items.Key(order[i]);
        }

        // By key, then by position: an unstable sort by key alone would mix equal keys.
        (ulong Key, int Position)[] sorted = [.. keys.Zip(order).Order()];
        double reached = 0;
        foreach ((ulong key, int position) in sorted)
        {
            reached += items.Weight(position);
            if (reached >= target)
            {
                return new Cut(key, position);
            }
        }

        return new Cut(sorted[^1].Key, sorted[^1].Position);
    }

    private static int FindBucket<T>(
        T items, ReadOnlySpan<int> positions, int shift, double target, Span<double> histogram, ref double reached)
        where T : ISelectionItems, allows ref struct
    {
        histogram.Clear();
        foreach (int position in positions)
        {
            histogram[Digit(items.Key(position), shift)] += items.Weight(position);
        }

        // Rounding may leave the sum a little short of a target that an earlier pass saw reached: the last bucket takes
        // it.
        int last = 0;
        double before = reached;
        for (int bucket = 0; bucket < histogram.Length; bucket++)
        {
            if (histogram[bucket] == 0)
            {
                continue;
            }

            (last, before) = (bucket, reached);
            if (reached + histogram[bucket] >= target)
            {
                break;
            }

            reached += histogram[bucket];
        }

        reached = before;
        return last;
    }

    private static int Gather<T>(T items, Span<int> positions, int shift, int bucket)
        where T : ISelectionItems, allows ref struct
    {
        int count = 0;
        foreach (int position in positions)
        {
            positions[count] = position;
            count += Digit(items.Key(position), shift) == bucket ? 1 : 0;
        }

        return count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Digit(ulong key, int shift) => (int)(key >> shift) & (HistogramLength - 1);

    /// <summary>
    /// Marks the last item of a prefix: an item is in it when its key is smaller, or equal at no later position.
    /// </summary>
    internal readonly record struct Cut(ulong Key, int Position);
}
