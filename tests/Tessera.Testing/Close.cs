using Xunit;

namespace Tessera.Testing;

/// <summary>Compares what was computed with a reference, and names the worst place when it is too far off.</summary>
public static class Close
{
    /// <summary>
    /// Requires every entry to be within <paramref name="limit"/> times the reference's largest finite size.
    /// </summary>
    public static void ToLargest(ReadOnlySpan<double> expected, ReadOnlySpan<double> actual, double limit, string what)
    {
        double largest = 0;
        foreach (double value in expected)
        {
            largest = Math.Max(largest, double.IsFinite(value) ? Math.Abs(value) : 0);
        }

        Within(expected, actual, limit * Math.Max(largest, 1e-300), what);
    }

    /// <summary>
    /// Requires every entry to be within <paramref name="limit"/>; infinities and NaNs must be equal.
    /// </summary>
    public static void Within(ReadOnlySpan<double> expected, ReadOnlySpan<double> actual, double limit, string what)
    {
        Assert.True(
            expected.Length == actual.Length, $"{what}: {actual.Length} values where {expected.Length} are wanted");
        int worst = -1;
        double most = limit;
        for (int i = 0; i < expected.Length; i++)
        {
            double error = expected[i].Equals(actual[i]) ? 0 : Math.Abs(expected[i] - actual[i]);
            if (!(error <= most))
            {
                (worst, most) = (i, error);
            }
        }

        Assert.True(
            worst < 0,
            worst < 0
                ? null
                : $"{what}: [{worst}] is {actual[worst]:R}, expected {expected[worst]:R} within {limit:G3}");
    }
}
