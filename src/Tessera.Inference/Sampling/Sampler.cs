namespace Tessera.Inference.Sampling;

/// <summary>
/// Draws the tokens of one sequence: the same options and logits give the same tokens, whatever other sequences are
/// drawn in between. Drawing allocates nothing once the history has its full length reserved.
/// </summary>
public sealed class Sampler
{
    private readonly SamplingOptions _options;
    private readonly int[] _biasedTokens;
    private readonly float[] _biases;
    private SeededDraws _random;
    private int[] _history = [];
    private int _historyLength;
    private int _promptLength;
    private double _surpriseLimit;

    /// <summary>Starts a sequence.</summary>
    /// <param name="options">How tokens are drawn.</param>
    /// <param name="prompt">The tokens before the first draw, which the repetition penalty and DRY look at.</param>
    /// <param name="maxTokens">How many tokens will be drawn at most; more make the history grow.</param>
    /// <param name="answer">Which of several answers to the same prompt this is: each has draws of its own.</param>
    public Sampler(SamplingOptions options, ReadOnlySpan<int> prompt = default, int maxTokens = 0, int answer = 0)
    {
        _options = options;
        bool biased = options.LogitBias.Count > 0;
        _biasedTokens = biased ? [.. options.LogitBias.Keys] : [];
        _biases = biased ? [.. options.LogitBias.Values] : [];
        _random = new SeededDraws(options.Seed).Fork((ulong)answer);
        _surpriseLimit = 2 * (options.Mirostat?.Target ?? 0);
        if (options.UsesHistory)
        {
            _history = new int[prompt.Length + maxTokens];
            prompt.CopyTo(_history);
            _historyLength = _promptLength = prompt.Length;
        }
    }

    /// <summary>Gets or sets the state of the draws.</summary>
    public SeededDraws Random { get => _random; set => _random = value; }

    /// <summary>Gets the surprise in bits above which mirostat drops a token.</summary>
    internal double SurpriseLimit => _surpriseLimit;

    /// <summary>Draws the next token and adds it to the history.</summary>
    /// <param name="logits">A row of the model's output; it isn't changed.</param>
    /// <param name="workspace">Buffers for at least as many entries.</param>
    /// <exception cref="InvalidOperationException">Every logit is NaN or negative infinity.</exception>
    public int Sample(ReadOnlySpan<float> logits, SamplingWorkspace workspace)
    {
        Filter(logits, workspace);

        // A draw that can fall out one way only leaves the stream where it is.
        Candidates candidates = workspace.Candidates;
        int token = Pick(candidates, candidates.Count == 1 ? 0 : _random.NextUnit());
        Accept(token);
        return token;
    }

    /// <summary>Leaves in the workspace the tokens that may be drawn, with their weights.</summary>
    internal void Filter(ReadOnlySpan<float> logits, SamplingWorkspace workspace)
    {
        Candidates candidates = workspace.Candidates;
        candidates.Load(logits);
        AddBias(candidates.Logits);
        Penalize(candidates.Logits, workspace.Repeats);
        float max = candidates.Settle();
        if (_options.Temperature == 0)
        {
            candidates.RetainFirst(max);
            candidates.Weigh(max, temperature: 1);
        }
        else if (_options.Mirostat is not null)
        {
            candidates.Weigh(max, _options.Temperature);
            LimitSurprise(candidates, max);
        }
        else
        {
            Truncate(candidates, max);
        }
    }

    /// <summary>Returns the token that a number in [0, 1) picks among those that <see cref="Filter"/> left.</summary>
    internal int Pick(Candidates candidates, double u)
    {
        int position = candidates.Pick(u);
        if (_options.Mirostat is { } mirostat)
        {
            double surprise = -Math.Log2(candidates.Weights[position] / candidates.Total);
            _surpriseLimit -= mirostat.LearningRate * (surprise - mirostat.Target);
        }

        return candidates.Ids[position];
    }

    private void Truncate(Candidates candidates, float max)
    {
        if (_options.TopNSigma is { } sigmas)
        {
            candidates.RetainAtLeast(LowestFrom(max - (sigmas * VectorPasses.Deviation(candidates.Logits))));
        }

        if (_options.TopK is { } k)
        {
            candidates.RetainRank(k);
        }

        candidates.Weigh(max, _options.Temperature);
        if (_options.TypicalP < 1)
        {
            candidates.RetainTypical(_options.TypicalP);
        }

        if (_options.TopP < 1)
        {
            candidates.RetainMass(_options.TopP);
        }

        if (_options.MinP > 0)
        {
            candidates.RetainAtLeast(_options.MinP * VectorPasses.Max(candidates.Weights));
        }
    }

    private void LimitSurprise(Candidates candidates, float max)
    {
        double least = candidates.Total * Math.Pow(2, -_surpriseLimit);
        if (VectorPasses.Max(candidates.Weights) >= least)
        {
            candidates.RetainAtLeast(least);
        }
        else
        {
            candidates.RetainFirst(max);
            candidates.Weigh(max, temperature: 1);
        }
    }

    private void AddBias(Span<float> logits)
    {
        for (int i = 0; i < _biasedTokens.Length; i++)
        {
            if (_biasedTokens[i] < logits.Length)
            {
                logits[_biasedTokens[i]] += _biases[i];
            }
        }
    }

    private void Penalize(Span<float> logits, Repeats repeats)
    {
        ReadOnlySpan<int> history = _history.AsSpan(0, _historyLength);
        if (_options.RepetitionPenalty != 1)
        {
            repeats.ApplyRepetition(logits, history, _options.RepetitionPenalty);
        }

        if (_options.PresencePenalty != 0 || _options.FrequencyPenalty != 0)
        {
            repeats.ApplyPresenceAndFrequency(
                logits, history[_promptLength..], _options.PresencePenalty, _options.FrequencyPenalty);
        }

        if (_options.Dry is { } dry)
        {
            repeats.Reserve(_history.Length);
            repeats.ApplyDry(logits, history, dry);
        }
    }

    private void Accept(int token)
    {
        if (!_options.UsesHistory)
        {
            return;
        }

        if (_historyLength == _history.Length)
        {
            Array.Resize(ref _history, Math.Max(256, 2 * _history.Length));
        }

        _history[_historyLength++] = token;
    }

    /// <summary>Returns the smallest float that isn't below a threshold.</summary>
    private static float LowestFrom(double threshold)
    {
        float rounded = (float)threshold;
        return rounded < threshold ? MathF.BitIncrement(rounded) : rounded;
    }
}
