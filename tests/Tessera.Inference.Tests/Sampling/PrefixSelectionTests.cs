using Tessera.Inference.Sampling;
using Xunit;

namespace Tessera.Inference.Tests.Sampling;

/// <summary>Holds the radix search to its definition, and the ranking to a full sort.</summary>
public sealed class PrefixSelectionTests
{
    public static TheoryData<int> Lengths => [.. Enumerable.Range(1, 256), 5000];

    [Theory]
    [MemberData(nameof(Lengths))]
    public void FindMatchesReference(int length)
    {
        Random random = new(length);
        double[] histogram = new double[PrefixSelection.HistogramLength];
        for (int round = 0; round < 8; round++)
        {
            // Few distinct logits make many ties; weights are multiples of 1/16, so that any order of adding is exact.
            float[] logits = Fill(length, () => random.Next(1 + (round * round * 10)) - 3f);
            double[] weights = Fill(length, () => (1 + random.Next(64)) / 16.0);
            double target = random.NextDouble() * 1.1 * weights.Sum();
            RankMass items = new(logits, weights);

            int[] positions = [.. Enumerable.Range(0, length)];
            PrefixSelection.Cut expected = PrefixSelection.Reference(items, positions, target);
            Assert.Equal(expected, PrefixSelection.Find(items, positions, target, histogram));
        }
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void RankMatchesASort(int length)
    {
        Random random = new(length);
        float[] logits = Fill(length, () => random.Next(length) / 2f);
        int[] sorted = [.. Enumerable.Range(0, length).OrderByDescending(id => logits[id]).ThenBy(id => id)];
        Candidates candidates = new(length);
        foreach (int k in new[] { 1, 2, length / 100, length / 2, length }.Where(k => k >= 1))
        {
            candidates.Load(logits);
            int[] positions = new int[k];
            Assert.Equal(Math.Min(k, length), candidates.Rank(k, positions));
            Assert.Equal(sorted.Take(k), positions.Take(length));

            candidates.RetainRank(k);
            Assert.Equal(sorted.Take(k).Order(), candidates.Ids.ToArray());
        }
    }

    [Fact]
    public void KeysFollowTheOrderOfFloats()
    {
        float[] descending =
        [
            float.PositiveInfinity, float.MaxValue, 1, float.Epsilon, 0, -float.Epsilon, -1, float.MinValue,
            float.NegativeInfinity,
        ];
        Assert.Equal(descending, descending.OrderBy(RankCount.KeyOf));
        Assert.Equal(RankCount.KeyOf(0f), RankCount.KeyOf(-0f));
    }

    private static T[] Fill<T>(int length, Func<T> next)
    {
        T[] values = new T[length];
        for (int i = 0; i < length; i++)
        {
            values[i] = next();
        }

        return values;
    }
}
