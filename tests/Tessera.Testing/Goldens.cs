using System.Globalization;
using Tessera.Tensors;
using Tessera.Tensors.Files;
using Xunit;

namespace Tessera.Testing;

/// <summary>
/// Holds what was computed to a reference: every entry within a limit that is a share of the reference's largest entry.
/// Where the reference is infinite or no number, the computed value must be the same.
/// </summary>
public static class Goldens
{
    /// <summary>
    /// Opens a safetensors file of references, such as <c>goldens/training/ops.safetensors</c>; skips where it is
    /// absent.
    /// </summary>
    public static SafetensorsFile Open(string relative) => SafetensorsFile.Open(SharedFiles.Path(relative));

    /// <summary>
    /// Fails, and says where it is worst, if an entry is off by more than <paramref name="limit"/> of the largest one.
    /// </summary>
    /// <param name="expected">The reference.</param>
    /// <param name="actual">What was computed, row by row.</param>
    /// <param name="limit">The share of the reference's largest entry, from <see cref="Limits"/>.</param>
    /// <param name="what">What is compared, for the message.</param>
    public static void Close(Tensor expected, ReadOnlySpan<double> actual, double limit, string what)
    {
        double[] wanted = ToDoubles(expected);
        Assert.True(wanted.Length == actual.Length, $"{what}: {actual.Length} values where {expected} is wanted");
        double allowed = limit * Largest(wanted);
        (int worst, double error, int wrong) = (0, 0, 0);
        for (int i = 0; i < wanted.Length; i++)
        {
            double off = Off(wanted[i], actual[i]);
            wrong += off <= allowed ? 0 : 1;
            (worst, error) = off > error ? (i, off) : (worst, error);
        }

        Assert.True(wrong == 0, wrong == 0 ? null : string.Create(
            CultureInfo.InvariantCulture,
            $"{what}: {wrong} of {wanted.Length} values are off; worst at {Place(expected.Shape, worst)}: "
            + $"{actual[worst]:R} where {wanted[worst]:R} is wanted, off by {error:G3}; "
            + $"allowed is {allowed:G3}, {limit:G3} of the largest"));
    }

    /// <inheritdoc cref="Close(Tensor, ReadOnlySpan{double}, double, string)"/>
    public static void Close(Tensor expected, ReadOnlySpan<float> actual, double limit, string what)
    {
        double[] values = new double[actual.Length];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = actual[i];
        }

        Close(expected, values, limit, what);
    }

    /// <inheritdoc cref="Close(Tensor, ReadOnlySpan{double}, double, string)"/>
    public static void Close(Tensor expected, Tensor actual, double limit, string what) =>
        Close(expected, ToDoubles(actual), limit, what);

    /// <summary>Returns the largest absolute value that is finite; 0 where there is none.</summary>
    public static double Largest(ReadOnlySpan<double> values)
    {
        double largest = 0;
        foreach (double value in values)
        {
            largest = double.IsFinite(value) ? Math.Max(largest, Math.Abs(value)) : largest;
        }

        return largest;
    }

    /// <summary>Returns a tensor's values, of whatever type, as doubles.</summary>
    public static double[] ToDoubles(Tensor tensor) => tensor.DType switch
    {
        DType.F64 => tensor.ToArray<double>(),
        DType.F32 => Convert<float>(tensor, value => value),
        DType.BF16 => Convert<BFloat16>(tensor, value => value),
        DType.F16 => Convert<Half>(tensor, value => (double)value),
        DType.I32 => Convert<int>(tensor, value => value),
        DType.I64 => Convert<long>(tensor, value => value),
        _ => Convert<byte>(tensor, value => value),
    };

    /// <summary>Returns a tensor's values as floats.</summary>
    public static float[] ToSingles(Tensor tensor) => Array.ConvertAll(ToDoubles(tensor), value => (float)value);

    /// <summary>Returns a tensor's integers.</summary>
    public static int[] ToInts(Tensor tensor) => Array.ConvertAll(ToDoubles(tensor), value => checked((int)value));

    private static double[] Convert<T>(Tensor tensor, Func<T, double> convert)
        where T : unmanaged => Array.ConvertAll(tensor.ToArray<T>(), value => convert(value));

    private static double Off(double wanted, double actual) => !double.IsFinite(wanted) || !double.IsFinite(actual)
        ? wanted.Equals(actual) ? 0 : double.PositiveInfinity
        : Math.Abs(actual - wanted);

    private static string Place(Shape shape, int index)
    {
        int[] place = new int[shape.Rank];
        for (int i = shape.Rank - 1; i >= 0; i--)
        {
            (index, place[i]) = Math.DivRem(index, shape[i]);
        }

        return $"({string.Join(',', place)})";
    }
}
