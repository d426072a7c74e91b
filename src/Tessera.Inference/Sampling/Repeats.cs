namespace Tessera.Inference.Sampling;

/// <summary>Lowers the logits of what came before: the repetition, presence and frequency penalties, and DRY.</summary>
internal sealed class Repeats(int vocabularySize)
{
    // All zero between calls: a number for each id, cleared by walking the same tokens again.
    private readonly int[] _counts = new int[vocabularySize];
    private int[] _reversed = [];
    private int[] _matches = [];

    /// <summary>Makes room for a history, so that no later call with one as long allocates.</summary>
    public void Reserve(int tokens)
    {
        if (_reversed.Length < tokens)
        {
            int capacity = Math.Max(tokens, Math.Max(256, 2 * _reversed.Length));
            (_reversed, _matches) = (new int[capacity], new int[capacity]);
        }
    }

    /// <summary>Divides positive and multiplies negative logits of each id in the history, once.</summary>
    public void ApplyRepetition(Span<float> logits, ReadOnlySpan<int> history, double penalty)
    {
        foreach (int token in history)
        {
            if (token < logits.Length && _counts[token]++ == 0)
            {
                float logit = logits[token];
                logits[token] = (float)(logit < 0 ? logit * penalty : logit / penalty);
            }
        }

        Forget(history);
    }

    /// <summary>Takes presence, and frequency times its count, from the logit of each id in the output.</summary>
    public void ApplyPresenceAndFrequency(
        Span<float> logits, ReadOnlySpan<int> output, double presence, double frequency)
    {
        foreach (int token in output)
        {
            if (token < logits.Length)
            {
                _counts[token]++;
            }
        }

        foreach (int token in output)
        {
            if (token < logits.Length && _counts[token] > 0)
            {
                logits[token] = (float)(logits[token] - (_counts[token] * frequency) - presence);
                _counts[token] = 0;
            }
        }
    }

    /// <summary>
    /// Takes multiplier × base^(length - allowed) from the logit of each id that would continue a repeat.
    /// </summary>
    public void ApplyDry(Span<float> logits, ReadOnlySpan<int> history, DryOptions options)
    {
        int searched = Math.Min(options.LastTokens ?? history.Length, history.Length);
        ReadOnlySpan<int> context = history[^searched..];
        int limit = TokensAfterBreaker(context, options.Breakers);
        if (!options.IsOn || context.Length <= options.AllowedLength || limit < options.AllowedLength)
        {
            return;
        }

        Reserve(context.Length);
        Span<int> reversed = _reversed.AsSpan(0, context.Length), matches = _matches.AsSpan(0, context.Length);
        context.CopyTo(reversed);
        reversed.Reverse();
        MatchPrefixes(reversed, matches);
        for (int i = 1; i < reversed.Length; i++)
        {
            int length = Math.Min(matches[i], limit);
            int next = reversed[i - 1];
            if (length >= options.AllowedLength && next < logits.Length)
            {
                _counts[next] = Math.Max(_counts[next], length);
            }
        }

        // 88.72… is the logarithm of the largest float: the exponent stops where the penalty would pass it (llama.cpp).
        double largest = options.Base > 1.000001 ? Math.Floor(88.7228391 / Math.Log(options.Base)) : double.MaxValue;
        foreach (int token in context)
        {
            if (token < logits.Length && _counts[token] > 0)
            {
                double exponent = Math.Min(_counts[token] - options.AllowedLength, largest);
                double penalty = options.Multiplier * Math.Pow(options.Base, exponent);
                logits[token] -= options.Breakers.Contains(token) ? 0 : (float)penalty;
                _counts[token] = 0;
            }
        }
    }

    /// <summary>Writes how many items starting at each position equal those at the start (the Z function).</summary>
    private static void MatchPrefixes(ReadOnlySpan<int> items, Span<int> matches)
    {
        matches[0] = 0;
        int start = 0, end = 0;
        for (int i = 1; i < items.Length; i++)
        {
            int length = i < end ? Math.Min(end - i, matches[i - start]) : 0;
            while (i + length < items.Length && items[length] == items[i + length])
            {
                length++;
            }

            matches[i] = length;
            if (i + length > end)
            {
                (start, end) = (i, i + length);
            }
        }
    }

    private static int TokensAfterBreaker(ReadOnlySpan<int> context, IReadOnlySet<int> breakers)
    {
        int count = 0;
        while (count < context.Length && !breakers.Contains(context[context.Length - 1 - count]))
        {
            count++;
        }

        return count;
    }

    private void Forget(ReadOnlySpan<int> tokens)
    {
        foreach (int token in tokens)
        {
            if (token < _counts.Length)
            {
                _counts[token] = 0;
            }
        }
    }
}
