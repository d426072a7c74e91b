using Tessera.Inference.Sampling;
using Tessera.Testing;
using Xunit;

namespace Tessera.Inference.Tests.Sampling;

/// <summary>Holds the sampler to every case of goldens/sampling/sampling.json.</summary>
public sealed class SamplingReferenceTests
{
    private readonly SamplingFile _file = SamplingFile.Open();

    [Fact]
    public void RowsFollowTheRecipe()
    {
        Assert.All(_file.Content.Rows, row =>
        {
            float[] logits = _file.Logits(row.Name);
            Assert.Equal(row.Check.Argmax, logits.IndexOf(logits.Max()));

            // Every logit is exact, and so is a sum of at most 2^17 multiples of 2^-22 in double.
            Assert.Equal(row.Check.Sum, logits.Sum(logit => (double)logit));
        });
    }

    [Fact]
    public void ChainsKeepTheSameTokensWithTheSameProbabilities() => Assert.All(_file.Content.Cases, chain =>
    {
        float[] logits = _file.Logits(chain.Row);
        SamplingWorkspace workspace = new(logits.Length);
        StartedSampler(chain, logits.Length).Filter(logits, workspace);
        AssertKept(chain.Kept, workspace.Candidates);
    });

    [Fact]
    public void PicksAreTheSame() => Assert.All(_file.Content.Picks.Cases, pick =>
    {
        SamplingFile.Chain chain = _file.Content.Cases[pick.Case];
        float[] logits = _file.Logits(chain.Row);
        SamplingWorkspace workspace = new(logits.Length);
        foreach ((double u, int id) in pick.U.Zip(pick.Ids))
        {
            Sampler sampler = StartedSampler(chain, logits.Length);
            sampler.Filter(logits, workspace);
            Assert.Equal(id, sampler.Pick(workspace.Candidates, u));
        }
    });

    [Fact]
    public void EdgesFollowTheRules() => Assert.All(_file.Content.Edges, edge =>
    {
        float[] logits = [.. edge.Logits.Select(logit => (float)logit)];
        SamplingWorkspace workspace = new(logits.Length);
        Sampler sampler = new(edge.Params.ToOptions());
        if (edge.Error)
        {
            Assert.Throws<InvalidOperationException>(() => sampler.Filter(logits, workspace));
        }
        else
        {
            sampler.Filter(logits, workspace);
            AssertKept(edge.Kept!, workspace.Candidates);
        }
    });

    [Fact]
    public void DryChangesTheSameLogits() => Assert.All(_file.Content.Dry, dry =>
    {
        float[] logits = new float[dry.Context.DefaultIfEmpty(0).Max() + 1];
        float[] expected = new float[logits.Length];
        foreach ((string id, double change) in dry.LogitChange)
        {
            expected[int.Parse(id)] = (float)change;
        }

        Repeats repeats = new(logits.Length);
        repeats.ApplyDry(logits, dry.Context, dry.Params.ToOptions());

        // One rounding to float of a power in double.
        Assert.Equal(expected, logits, (e, a) => MathF.Abs(e - a) <= 2e-7f * MathF.Abs(e));
    });

    [Fact]
    public void LogProbabilitiesAreThoseOfTheRawLogits() => Assert.All(_file.Content.Logprobs, given =>
    {
        float[] logits = given.Logits is null ? _file.Logits(given.Row) : [.. given.Logits.Select(x => (float)x)];
        SamplingWorkspace workspace = new(logits.Length);
        TokenLogProbability[] top = new TokenLogProbability[given.Top.Length];
        foreach (SamplingFile.Ranked sampled in given.Sampled ?? [given.Last!])
        {
            double actual = workspace.LogProbabilities(logits, sampled.Id, top, out int found);
            AssertLogProbability(sampled.Logprob, actual);
            Assert.Equal(given.Top.Length, found);
            Assert.Equal(given.Top.Select(entry => entry.Id), top.Select(entry => entry.Token));
            Assert.All(
                given.Top.Zip(top), pair => AssertLogProbability(pair.First.Logprob, pair.Second.LogProbability));
        }
    });

    [Fact]
    public void MirostatFollowsTheRuns() => Assert.All(_file.Content.Mirostat, run =>
    {
        float[] row = _file.Logits(run.Row);
        SamplingWorkspace workspace = new(row.Length);
        Sampler sampler = new(new() { Mirostat = new() { Target = run.Tau, LearningRate = run.Eta } });
        foreach (SamplingFile.MirostatStep step in run.Steps)
        {
            AssertRelative(step.Mu, sampler.SurpriseLimit);
            sampler.Filter([.. row.Select(logit => (float)(logit * step.Scale))], workspace);
            Candidates candidates = workspace.Candidates;
            Assert.Equal(step.Kept, candidates.Count);
            Assert.Equal(step.Picked, sampler.Pick(candidates, step.U));
            AssertRelative(step.Prob, candidates.Weights[candidates.Ids.IndexOf(step.Picked)] / candidates.Total);
        }

        AssertRelative(run.MuAfter, sampler.SurpriseLimit);
    });

    private static Sampler StartedSampler(SamplingFile.Chain chain, int vocabularySize)
    {
        Sampler sampler = new(chain.Params.ToOptions(), chain.PromptIds);

        // The output so far is drawn from logits that allow nothing else, since only a draw adds to the history.
        SamplingWorkspace workspace = new(vocabularySize);
        float[] forced = new float[vocabularySize];
        foreach (int token in chain.OutputIds ?? [])
        {
            Array.Fill(forced, float.NegativeInfinity);
            forced[token] = 0;
            Assert.Equal(token, sampler.Sample(forced, workspace));
        }

        return sampler;
    }

    private static void AssertKept(SamplingFile.Kept expected, Candidates actual)
    {
        int[] positions = new int[actual.Count];
        Assert.Equal(expected.Count, actual.Rank(actual.Count, positions));
        int[] ids = new int[positions.Length];
        double[] probabilities = new double[positions.Length];
        for (int i = 0; i < positions.Length; i++)
        {
            ids[i] = actual.Ids[positions[i]];
            probabilities[i] = actual.Weights[positions[i]] / actual.Total;
        }

        Assert.Equal(expected.Ids, ids[..expected.Ids.Length]);
        Assert.All(expected.Probs.Zip(probabilities), pair => AssertRelative(pair.First, pair.Second));
        Assert.Equal(expected.IdsSum ?? expected.Ids.Sum(id => (long)id), ids.Sum(id => (long)id));

        // A square doubles a relative error.
        double squares = expected.SquaredProbsSum ?? expected.Probs.Sum(p => p * p);
        double ratio = probabilities.Sum(p => p * p) / squares;
        Assert.InRange(ratio, 1 - (2 * Limits.SamplingProbability), 1 + (2 * Limits.SamplingProbability));
    }

    private static void AssertLogProbability(double expected, double actual)
    {
        // The limit on a probability's relative error is one on its logarithm's absolute error.
        bool near = expected == actual || Math.Abs(expected - actual) <= Limits.SamplingProbability;
        Assert.True(near, $"wanted {expected}, came {actual}");
    }

    private static void AssertRelative(double expected, double actual) => Assert.True(
        Math.Abs(actual - expected) <= Limits.SamplingProbability * expected, $"wanted {expected}, came {actual}");
}
