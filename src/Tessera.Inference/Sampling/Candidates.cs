namespace Tessera.Inference.Sampling;

/// <summary>
/// Holds the tokens that are still in the running, by ascending id: their logits and, once weighed, weights that are
/// proportional to their probabilities. The filters only ever shorten it, in place.
/// </summary>
internal sealed class Candidates
{
    // Buffers end on a whole vector, so that the same arithmetic reaches the last item: equal logits get equal weights.
    private readonly int[] _allIds;
    private readonly int[] _ids;
    private readonly float[] _logits;
    private readonly double[] _weights;
    private readonly double[] _distances;
    private readonly int[] _positions;
    private readonly float[] _blockMaxima;
    private readonly double[] _histogram = new double[PrefixSelection.HistogramLength];

    /// <summary>Reserves buffers for a vocabulary.</summary>
    public Candidates(int vocabularySize)
    {
        int padded = VectorPasses.Padded(vocabularySize);
        VocabularySize = vocabularySize;
        _allIds = new int[padded];
        for (int id = 0; id < padded; id++)
        {
            _allIds[id] = id;
        }

        _ids = new int[padded];
        _logits = new float[padded];
        _weights = new double[padded];
        _distances = new double[padded];
        _positions = new int[padded];
        _blockMaxima = new float[VectorPasses.Padded((vocabularySize / VectorPasses.BlockLength) + 1)];
    }

    /// <summary>Gets how many logits a row has.</summary>
    public int VocabularySize { get; }

    /// <summary>Gets how many tokens are left.</summary>
    public int Count { get; private set; }

    /// <summary>Gets the sum of the weights.</summary>
    public double Total { get; private set; }

    /// <summary>Gets the tokens that are left, by ascending id.</summary>
    public ReadOnlySpan<int> Ids => _ids.AsSpan(0, Count);

    /// <summary>Gets the logits of the tokens that are left; right after loading, the position is the id.</summary>
    public Span<float> Logits => _logits.AsSpan(0, Count);

    /// <summary>Gets the weights of the tokens that are left.</summary>
    public ReadOnlySpan<double> Weights => _weights.AsSpan(0, Count);

    /// <summary>Takes a row of logits, one for each id.</summary>
    public void Load(ReadOnlySpan<float> logits)
    {
        if (logits.Length > VocabularySize)
        {
            throw new ArgumentException(
                $"Sample: {logits.Length} logits; the workspace holds a vocabulary of {VocabularySize}");
        }

        Count = logits.Length;
        logits.CopyTo(_logits);
        _allIds.CopyTo(_ids, 0);
    }

    /// <summary>
    /// Drops NaN and negative infinities and, where there is a positive infinity, all that isn't one; returns the
    /// largest logit.
    /// </summary>
    /// <exception cref="InvalidOperationException">Nothing is left.</exception>
    public float Settle()
    {
        (float min, float max) = VectorPasses.ReplaceNaN(Logits);
        if (max == float.NegativeInfinity)
        {
            throw new InvalidOperationException(
                $"Sample: all {Count} logits are NaN or negative infinity; wanted one that can be drawn");
        }

        if (max == float.PositiveInfinity)
        {
            RetainAtLeast(float.PositiveInfinity);
            Logits.Clear();
            return 0;
        }

        if (min == float.NegativeInfinity)
        {
            RetainAtLeast(float.MinValue);
        }

        return max;
    }

    /// <summary>Leaves the first token with the largest logit.</summary>
    public void RetainFirst(float max)
    {
        _positions[0] = VectorPasses.IndexOfAtLeast(Logits, max);
        Retain(1);
    }

    /// <summary>Leaves the tokens whose logits reach a threshold.</summary>
    public void RetainAtLeast(float logit) => Retain(VectorPasses.Gather(Logits, logit, _positions));

    /// <summary>Leaves the tokens whose weights reach a threshold.</summary>
    public void RetainAtLeast(double weight)
    {
        Retain(VectorPasses.Gather(Weights, weight, _positions));
        Total = VectorPasses.Sum(Weights);
    }

    /// <summary>Leaves the first <paramref name="k"/> in rank order.</summary>
    public void RetainRank(int k)
    {
        if (k < Count)
        {
            PrefixSelection.Cut cut = FindRank(k);
            RetainThrough(cut);
        }
    }

    /// <summary>Weighs what is left by exp((logit - max) / temperature); a weight of 0 drops its token.</summary>
    public void Weigh(float max, double temperature)
    {
        _logits.AsSpan(Count, VectorPasses.Padded(Count) - Count).Fill(max);
        bool zeros = VectorPasses.Exponentials(_logits, _weights, Count, max, temperature);
        Total = VectorPasses.Sum(Weights);
        if (zeros)
        {
            RetainAtLeast(double.Epsilon);
        }
    }

    /// <summary>Leaves the smallest prefix in rank order whose probabilities reach <paramref name="share"/>.</summary>
    public void RetainMass(double share)
    {
        RetainThrough(FindMass(share * Total));
        Total = VectorPasses.Sum(Weights);
    }

    /// <summary>
    /// Leaves those whose surprise is nearest to the expected one, until they reach <paramref name="share"/>.
    /// </summary>
    public void RetainTypical(double share)
    {
        _weights.AsSpan(Count, VectorPasses.Padded(Count) - Count).Clear();
        VectorPasses.Distances(_weights, _distances, Count, Total);
        DistanceMass items = new(_distances, _weights);
        PrefixSelection.Cut cut = PrefixSelection.Find(items, AllPositions(), share * Total, _histogram);
        int kept = 0;
        for (int i = 0; i < Count; i++)
        {
            ulong key = items.Key(i);
            _positions[kept] = i;
            kept += key < cut.Key || (key == cut.Key && i <= cut.Position) ? 1 : 0;
        }

        Retain(kept);
        Total = VectorPasses.Sum(Weights);
    }

    /// <summary>
    /// Returns the position of the first token in rank order whose running sum exceeds <paramref name="u"/>.
    /// </summary>
    public int Pick(double u) => Count == 1 ? 0 : FindMass(Math.BitIncrement(u * Total)).Position;

    /// <summary>
    /// Returns how many tokens reach the first <paramref name="k"/> ranks and writes their positions, best first.
    /// </summary>
    public int Rank(int k, Span<int> positions)
    {
        int kept = Math.Min(k, Count);
        if (kept == 0)
        {
            return 0;
        }

        int gathered = GatherThrough(FindRank(kept));
        Span<ulong> keys = gathered <= 128 ? stackalloc ulong[gathered] : new ulong[gathered];
        for (int i = 0; i < gathered; i++)
        {
            // A logit's key leaves the low half free for the position, which decides between equal ones.
            keys[i] = RankCount.KeyOf(_logits[_positions[i]]) | (uint)_positions[i];
        }

        keys[..gathered].Sort();
        for (int i = 0; i < gathered; i++)
        {
            positions[i] = (int)(uint)keys[i];
        }

        return gathered;
    }

    private PrefixSelection.Cut FindRank(int k)
    {
        int blocks = Count / VectorPasses.BlockLength;
        Span<int> positions = AllPositions();
        if (k < blocks)
        {
            // At least k logits reach the k-th largest of the blocks' maxima: what doesn't can't be among the first k.
            VectorPasses.BlockMaxima(Logits, _blockMaxima);
            PrefixSelection.Cut block =
                PrefixSelection.Find(new RankCount(_blockMaxima), positions[..blocks], k, _histogram);
            float floor = _blockMaxima[block.Position];
            positions = _positions.AsSpan(0, VectorPasses.Gather(Logits, floor, _positions));
        }

        return PrefixSelection.Find(new RankCount(_logits), positions, k, _histogram);
    }

    private PrefixSelection.Cut FindMass(double target)
    {
        // Tokens below this weight are together lighter than what lies past the target, so the prefix ends before them.
        // Half of it keeps the claim true under rounding.
        double floor = Math.Max((Total - target) / Count / 2, double.Epsilon);
        int gathered = VectorPasses.Gather(Weights, floor, _positions);
        return PrefixSelection.Find(
            new RankMass(_logits, _weights), _positions.AsSpan(0, gathered), target, _histogram);
    }

    private Span<int> AllPositions()
    {
        _allIds.AsSpan(0, Count).CopyTo(_positions);
        return _positions.AsSpan(0, Count);
    }

    private void RetainThrough(PrefixSelection.Cut cut) => Retain(GatherThrough(cut));

    private int GatherThrough(PrefixSelection.Cut cut)
    {
        float last = _logits[cut.Position];
        int reached = VectorPasses.Gather(Logits, last, _positions);
        int kept = 0;
        foreach (int position in _positions.AsSpan(0, reached))
        {
            _positions[kept] = position;
            kept += _logits[position] > last || position <= cut.Position ? 1 : 0;
        }

        return kept;
    }

    private void Retain(int kept)
    {
        if (kept < Count)
        {
            for (int i = 0; i < kept; i++)
            {
                int from = _positions[i];
                (_ids[i], _logits[i], _weights[i]) = (_ids[from], _logits[from], _weights[from]);
            }
        }

        Count = kept;
    }
}
