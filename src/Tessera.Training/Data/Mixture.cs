namespace Tessera.Training.Data;

/// <summary>Holds sources with the share that each has of the rows of a run.</summary>
public sealed class Mixture
{
    private Mixture(IReadOnlyList<DocumentPool> pools, IReadOnlyList<double> shares) =>
        (Pools, Shares) = (pools, shares);

    /// <summary>Gets the pools that documents are drawn from.</summary>
    public IReadOnlyList<DocumentPool> Pools { get; }

    /// <summary>Gets each pool's share; they sum to 1.</summary>
    public IReadOnlyList<double> Shares { get; }

    /// <summary>Gets the rows of all pools once.</summary>
    public long Rows => Pools.Sum(p => p.Rows);

    /// <summary>Makes one order of all documents of all files, each as likely as another at every place.</summary>
    public static Mixture OfAll(IReadOnlyList<TokenFile> files, bool repliesOnly = true) =>
        new([new DocumentPool("all sources", files, repliesOnly)], [1]);

    /// <summary>
    /// Mixes sources by weight. What a source with a cap, or a largest number of passes, can't give is taken from the
    /// others in proportion to their weights.
    /// </summary>
    /// <param name="sources">The sources; all with a weight, or none.</param>
    /// <param name="runRows">The rows of the whole run, which passes are counted in.</param>
    /// <exception cref="InvalidDataException">Some have a weight and some haven't, or the caps leave too
    /// little.</exception>
    public static Mixture Of(IReadOnlyList<MixtureSource> sources, long runRows)
    {
        int weighted = sources.Count(s => s.Weight is not null);
        if (weighted != 0 && weighted != sources.Count)
        {
            string without = sources.First(s => s.Weight is null).Pool.Name;
            throw new InvalidDataException(
                $"data.sources: {without} has no weight and others have: give all of them one, or none");
        }

        double[] weights = [.. sources.Select(s => s.Weight ?? s.Pool.Rows)];
        double[] limits = [.. sources.Select(s => Math.Min(s.Cap, s.Passes * s.Pool.Rows / runRows))];
        return new Mixture([.. sources.Select(s => s.Pool)], ShareOut(weights, limits, sources));
    }

    private static double[] ShareOut(double[] weights, double[] limits, IReadOnlyList<MixtureSource> sources)
    {
        double[] shares = new double[weights.Length];
        bool[] full = new bool[weights.Length];
        while (true)
        {
            double left = 1 - Enumerable.Range(0, shares.Length).Where(i => full[i]).Sum(i => limits[i]);
            double weight = Enumerable.Range(0, shares.Length).Where(i => !full[i]).Sum(i => weights[i]);

            // 1e-9: room for the roundings of the sums; a missing billionth of a run is no row.
            if (weight <= 0 && left > 1e-9)
            {
                throw new InvalidDataException(
                    $"data.sources: cap and passes leave {left:P1} of the run without data "
                    + $"({string.Join(", ", sources.Select((s, i) => $"{s.Pool.Name} at most {limits[i]:P1}"))})");
            }

            bool changed = false;
            for (int i = 0; i < shares.Length; i++)
            {
                shares[i] = full[i] ? limits[i] : weights[i] / weight * left;
                if (!full[i] && shares[i] > limits[i])
                {
                    (full[i], changed) = (true, true);
                }
            }

            if (!changed)
            {
                return shares;
            }
        }
    }
}
