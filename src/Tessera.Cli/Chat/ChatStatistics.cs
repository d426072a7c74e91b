using Tessera.Inference;

namespace Tessera.Cli.Chat;

/// <summary>Measures the last answer.</summary>
internal sealed class ChatStatistics(TimeProvider time)
{
    // In less than this, the pieces of an answer come together, and their times say nothing.
    private static readonly TimeSpan _shortest = TimeSpan.FromMilliseconds(50);

    private long _started;
    private long? _first;
    private long _ended;

    /// <summary>Gets the tokens of the last prompt.</summary>
    public int PromptTokens { get; private set; }

    /// <summary>Gets the tokens of the last answer.</summary>
    public int AnswerTokens { get; private set; }

    /// <summary>Gets the time from the question to the first text.</summary>
    public TimeSpan ToFirst => time.GetElapsedTime(_started, _first ?? _ended);

    /// <summary>Gets the tokens a second after the first text; null where there is too little to tell.</summary>
    public double? TokensPerSecond => _first is { } first && time.GetElapsedTime(first, _ended) is var writing
        && writing >= _shortest
            ? (AnswerTokens - 1) / writing.TotalSeconds
            : null;

    /// <summary>Notes that an answer begins.</summary>
    public void Begin() => (_started, _first) = (time.GetTimestamp(), null);

    /// <summary>Notes that text has come.</summary>
    public void Text() => _first ??= time.GetTimestamp();

    /// <summary>Notes that the answer has ended.</summary>
    public void End(Generation generation)
    {
        _ended = time.GetTimestamp();
        (PromptTokens, AnswerTokens) = (generation.PromptTokens, generation.CompletionTokens);
    }
}
