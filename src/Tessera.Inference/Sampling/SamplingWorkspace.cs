namespace Tessera.Inference.Sampling;

/// <summary>
/// Holds the buffers that drawing a token needs: one for each thread that draws, shared by all its samplers.
/// </summary>
public sealed class SamplingWorkspace
{
    /// <summary>Reserves about 40 bytes for each entry of a vocabulary.</summary>
    public SamplingWorkspace(int vocabularySize)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(vocabularySize);
        Candidates = new Candidates(vocabularySize);
        Repeats = new Repeats(vocabularySize);
    }

    internal Candidates Candidates { get; }

    internal Repeats Repeats { get; }

    /// <summary>
    /// Returns a token's log-probability under the raw logits, in nats, and writes the most probable tokens, best
    /// first, with theirs.
    /// </summary>
    /// <param name="logits">The row as the model gave it, before bias, penalties and temperature.</param>
    /// <param name="token">The token that was drawn.</param>
    /// <param name="top">Takes the most probable tokens; its length says how many are wanted.</param>
    /// <param name="found">How many were written: fewer than wanted where fewer can be drawn.</param>
    public double LogProbabilities(
        ReadOnlySpan<float> logits, int token, Span<TokenLogProbability> top, out int found)
    {
        Candidates.Load(logits);
        float max = Candidates.Settle();
        int position = Candidates.Ids.BinarySearch(token);
        float logit = position >= 0 ? Candidates.Logits[position] : float.NegativeInfinity;

        Span<int> positions = stackalloc int[Math.Min(top.Length, Candidates.Count)];
        found = Candidates.Rank(positions.Length, positions);
        for (int i = 0; i < found; i++)
        {
            top[i] = new TokenLogProbability(Candidates.Ids[positions[i]], Candidates.Logits[positions[i]]);
        }

        Candidates.Weigh(max, temperature: 1);
        double normalizer = max + Math.Log(Candidates.Total);
        for (int i = 0; i < found; i++)
        {
            top[i] = top[i] with { LogProbability = top[i].LogProbability - normalizer };
        }

        return logit - normalizer;
    }
}
