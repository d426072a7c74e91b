using System.Numerics;
using System.Runtime.CompilerServices;

namespace Tessera.Inference.Sampling;

/// <summary>Holds the passes over whole rows of logits or weights that the sampler is made of.</summary>
internal static class VectorPasses
{
    /// <summary>The block over which <see cref="BlockMaxima"/> takes maxima.</summary>
    public const int BlockLength = 64;

    /// <summary>Returns a length rounded up to whole vectors and blocks.</summary>
    public static int Padded(int length) => (length + BlockLength - 1) / BlockLength * BlockLength;

    /// <summary>
    /// Puts negative infinity in the place of each NaN and returns the smallest and the largest value.
    /// </summary>
    public static (float Min, float Max) ReplaceNaN(Span<float> values)
    {
        Vector<float> lowest = new(float.NegativeInfinity), smallest = new(float.PositiveInfinity), largest = lowest;
        int i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector<float> x = new(values[i..]);
            x = Vector.ConditionalSelect(Vector.Equals(x, x), x, lowest);
            x.CopyTo(values[i..]);
            smallest = Vector.Min(smallest, x);
            largest = Vector.Max(largest, x);
        }

        float min = float.PositiveInfinity, max = float.NegativeInfinity;
        for (int lane = 0; lane < Vector<float>.Count; lane++)
        {
            (min, max) = (MathF.Min(min, smallest[lane]), MathF.Max(max, largest[lane]));
        }

        for (; i < values.Length; i++)
        {
            values[i] = float.IsNaN(values[i]) ? float.NegativeInfinity : values[i];
            (min, max) = (MathF.Min(min, values[i]), MathF.Max(max, values[i]));
        }

        return (min, max);
    }

    /// <summary>Returns the largest of values that aren't NaN.</summary>
    public static T Max<T>(ReadOnlySpan<T> values)
        where T : unmanaged, INumber<T>, IMinMaxValue<T>
    {
        Vector<T> best = new(T.MinValue);
        int i = 0;
        for (; i <= values.Length - Vector<T>.Count; i += Vector<T>.Count)
        {
            best = Vector.Max(best, new Vector<T>(values[i..]));
        }

        T max = T.MinValue;
        for (int lane = 0; lane < Vector<T>.Count; lane++)
        {
            max = T.Max(max, best[lane]);
        }

        for (; i < values.Length; i++)
        {
            max = T.Max(max, values[i]);
        }

        return max;
    }

    /// <summary>Writes the maximum of each whole block.</summary>
    public static void BlockMaxima(ReadOnlySpan<float> values, Span<float> maxima)
    {
        for (int block = 0; block < values.Length / BlockLength; block++)
        {
            maxima[block] = Max(values.Slice(block * BlockLength, BlockLength));
        }
    }

    /// <summary>Adds up in a fixed order.</summary>
    public static double Sum(ReadOnlySpan<double> values)
    {
        Vector<double> sums = Vector<double>.Zero;
        int i = 0;
        for (; i <= values.Length - Vector<double>.Count; i += Vector<double>.Count)
        {
            sums += new Vector<double>(values[i..]);
        }

        double sum = Vector.Sum(sums);
        for (; i < values.Length; i++)
        {
            sum += values[i];
        }

        return sum;
    }

    /// <summary>Returns the standard deviation of all values together (divided by their count).</summary>
    public static double Deviation(ReadOnlySpan<float> values)
    {
        // Two passes: squares of values far from 0 would swallow a small deviation.
        double mean = 0;
        foreach (float value in values)
        {
            mean += value;
        }

        mean /= values.Length;
        double squares = 0;
        foreach (float value in values)
        {
            squares += (value - mean) * (value - mean);
        }

        return Math.Sqrt(squares / values.Length);
    }

    /// <summary>
    /// Writes the positions of the values that reach a threshold, in order, and returns how many they are.
    /// </summary>
    public static int Gather<T>(ReadOnlySpan<T> values, T threshold, Span<int> positions)
        where T : unmanaged, INumber<T>
    {
        Vector<T> floor = new(threshold);
        int count = 0;
        int i = 0;
        for (; i <= values.Length - Vector<T>.Count; i += Vector<T>.Count)
        {
            if (Vector.GreaterThanOrEqualAny(new Vector<T>(values[i..]), floor))
            {
                count = GatherPlainly(values, i, i + Vector<T>.Count, threshold, positions, count);
            }
        }

        return GatherPlainly(values, i, values.Length, threshold, positions, count);
    }

    /// <summary>Returns the position of the first value that reaches a threshold, or the length.</summary>
    public static int IndexOfAtLeast(ReadOnlySpan<float> values, float threshold)
    {
        Vector<float> floor = new(threshold);
        int i = 0;
        while (i <= values.Length - Vector<float>.Count
            && !Vector.GreaterThanOrEqualAny(new Vector<float>(values[i..]), floor))
        {
            i += Vector<float>.Count;
        }

        while (i < values.Length && values[i] < threshold)
        {
            i++;
        }

        return i;
    }

    /// <summary>
    /// Writes exp((value - max) / temperature) for <paramref name="count"/> values of buffers that are padded with the
    /// maximum, and returns whether any of them is 0.
    /// </summary>
    public static bool Exponentials(
        ReadOnlySpan<float> values, Span<double> exponentials, int count, float max, double temperature)
    {
        Vector<double> shift = new(max), divisor = new(temperature);
        bool zeros = false;
        for (int i = 0; i < count; i += Vector<float>.Count)
        {
            Vector.Widen(new Vector<float>(values[i..]), out Vector<double> low, out Vector<double> high);
            low = Vector.Exp((low - shift) / divisor);
            high = Vector.Exp((high - shift) / divisor);
            low.CopyTo(exponentials[i..]);
            high.CopyTo(exponentials[(i + Vector<double>.Count)..]);
            zeros |= Vector.EqualsAny(low, Vector<double>.Zero) | Vector.EqualsAny(high, Vector<double>.Zero);
        }

        return zeros;
    }

    /// <summary>
    /// Writes how far the surprise of each of <paramref name="count"/> weights lies from the expected one, in nats; the
    /// buffers are padded with 0, whose distance means nothing.
    /// </summary>
    public static void Distances(ReadOnlySpan<double> weights, Span<double> distances, int count, double total)
    {
        // The surprise is log(total) - log(weight); the logarithm of the total cancels in the difference.
        Vector<double> sums = Vector<double>.Zero;
        for (int i = 0; i < count; i += Vector<double>.Count)
        {
            Vector<double> weight = new(weights[i..]);
            Vector<double> logarithm = Vector.Log(weight);
            logarithm.CopyTo(distances[i..]);
            sums += Vector.ConditionalSelect(
                Vector.Equals(weight, Vector<double>.Zero), Vector<double>.Zero, weight * logarithm);
        }

        Vector<double> expected = new(Vector.Sum(sums) / total);
        for (int i = 0; i < count; i += Vector<double>.Count)
        {
            Vector.Abs(new Vector<double>(distances[i..]) - expected).CopyTo(distances[i..]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int GatherPlainly<T>(
        ReadOnlySpan<T> values, int start, int end, T threshold, Span<int> positions, int count)
        where T : unmanaged, INumber<T>
    {
        for (int i = start; i < end; i++)
        {
            positions[count] = i;
            count += values[i] >= threshold ? 1 : 0;
        }

        return count;
    }
}
