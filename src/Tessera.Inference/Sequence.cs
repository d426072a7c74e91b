using Tessera.Inference.Sampling;

namespace Tessera.Inference;

/// <summary>Is what the engine keeps of an answer that it writes: tokens, place in the cache, draws.</summary>
internal sealed class Sequence
{
    private readonly GenerationRequest _request;
    private readonly int[] _prompt;
    private readonly int[] _stopTokens;
    private readonly int _maxTokens;
    private readonly TokenLogProbability[] _top;
    private readonly Sampler _sampler;
    private int _last;

    public Sequence(GenerationRequest request, Generation generation, int contextLength)
    {
        _request = request;
        _prompt = [.. request.Prompt];
        _stopTokens = [.. request.StopTokens];
        _maxTokens = Math.Min(request.MaxTokens ?? int.MaxValue, contextLength - _prompt.Length);
        _top = new TokenLogProbability[request.TopLogProbabilities ?? 0];
        _sampler = new Sampler(request.Sampling, _prompt, _maxTokens, request.Answer);
        Generation = generation;

        // The last token of an answer is never fed back.
        Positions = _prompt.Length + _maxTokens - 1;
    }

    /// <summary>Gets what the answer's reader holds.</summary>
    public Generation Generation { get; }

    /// <summary>Gets how many positions of the cache it needs at most.</summary>
    public int Positions { get; }

    /// <summary>Gets how many positions are in the cache.</summary>
    public int Past { get; private set; }

    /// <summary>Gets its blocks of the cache; empty while it waits.</summary>
    public int[] Blocks { get; set; } = [];

    /// <summary>Gets how many tokens of the prompt aren't in the cache yet.</summary>
    public int PromptLeft => Math.Max(0, _prompt.Length - Past);

    /// <summary>Returns the next tokens to feed: part of the prompt, or the token that was drawn last.</summary>
    public ReadOnlySpan<int> Next(int most) => PromptLeft > 0
        ? _prompt.AsSpan(Past, Math.Min(PromptLeft, most))
        : new ReadOnlySpan<int>(ref _last);

    /// <summary>Notes that tokens were fed; returns whether the next one is to be drawn from the last row.</summary>
    public bool Advance(int tokens)
    {
        Past += tokens;
        return PromptLeft == 0;
    }

    /// <summary>
    /// Draws the next token from the logits (V) and hands it over; returns whether the answer has ended.
    /// </summary>
    public bool Draw(ReadOnlySpan<float> logits, SamplingWorkspace workspace)
    {
        _last = _sampler.Sample(logits, workspace);
        if (_stopTokens.AsSpan().Contains(_last))
        {
            Generation.End(FinishReason.Stop);
            return true;
        }

        (double logProbability, int found) = (0, 0);
        if (_request.TopLogProbabilities is not null)
        {
            logProbability = workspace.LogProbabilities(logits, _last, _top, out found);
        }

        if (Generation.Accept(_last, logProbability, _top.AsSpan(0, found)))
        {
            Generation.End(FinishReason.Stop);
            return true;
        }

        if (Generation.CompletionTokens == _maxTokens)
        {
            Generation.End(FinishReason.Length);
            return true;
        }

        return false;
    }
}
