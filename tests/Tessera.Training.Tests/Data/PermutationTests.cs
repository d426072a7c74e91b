using Tessera.Training.Data;
using Xunit;

namespace Tessera.Training.Tests.Data;

public sealed class PermutationTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(1000)]
    [InlineData(4097)]
    public void EachThingStandsAtOnePlace(int count)
    {
        Permutation order = new(count, seed: 5);
        Assert.Equal(Enumerable.Range(0, count).Select(i => (long)i), Places(order, count).Order());
    }

    [Fact]
    public void AnotherSeedGivesAnotherOrder()
    {
        IEnumerable<long> one = Places(new Permutation(1000, 1), 1000), two = Places(new Permutation(1000, 2), 1000);

        // Two random orders share 1 place on average; ten or more come once in ten million.
        Assert.True(one.Zip(two).Count(p => p.First == p.Second) < 10);
        Assert.Equal(one, Places(new Permutation(1000, 1), 1000));
    }

    [Fact]
    public void ThePlaceOfAThingIsUniform()
    {
        // 2,000 seeds, 10 tenths: 200 in each on average, 13.4 the standard deviation; 5 of them are 67.
        int[] counts = new int[10];
        for (ulong seed = 0; seed < 2000; seed++)
        {
            counts[new Permutation(1000, seed)[7] / 100]++;
        }

        Assert.All(counts, c => Assert.InRange(c, 133, 267));
    }

    private static List<long> Places(Permutation order, int count) =>
        [.. Enumerable.Range(0, count).Select(i => order[i])];
}
