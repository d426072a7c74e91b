using System.Runtime.CompilerServices;
using System.Text;
using Tessera.Inference.Sampling;
using Tessera.Models.Tokenizers;

namespace Tessera.Inference;

/// <summary>
/// Is an answer that an engine writes. Reading it gives the text as it comes; leaving the loop, cancelling it or
/// disposing the generation stops the engine's work on it before the next token.
/// </summary>
public sealed class Generation : IDisposable
{
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _news = new(0);
    private readonly AnswerText _text;
    private readonly List<GeneratedToken> _tokens = [];
    private readonly List<Place> _places = [];
    private readonly bool _keepsTokens;
    private bool _newsPending;
    private int _charactersRead;
    private int _tokensRead;
    private bool _ended;
    private Exception? _error;
    private volatile bool _cancelled;

    internal Generation(Tokenizer tokenizer, GenerationRequest request)
    {
        PromptTokens = request.Prompt.Count;
        _text = new AnswerText(tokenizer, request.StopStrings);
        _keepsTokens = request.TopLogProbabilities is not null;
    }

    /// <summary>Gets the number of tokens of the prompt.</summary>
    public int PromptTokens { get; }

    /// <summary>Gets the number of tokens that have been drawn for the answer, without a stop token.</summary>
    public int CompletionTokens { get; private set; }

    /// <summary>Gets why the answer ended; null while it goes on, and for one that was cancelled or failed.</summary>
    public FinishReason? FinishReason { get; private set; }

    internal bool IsCancelled => _cancelled;

    /// <summary>Reads the answer piece by piece to its end, once.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="InvalidOperationException">The engine failed or was disposed.</exception>
    public async IAsyncEnumerable<GenerationPiece> ReadAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        try
        {
            while (true)
            {
                await _news.WaitAsync(cancellationToken).ConfigureAwait(false);
                (GenerationPiece? piece, bool ended) = Take();
                if (piece is not null)
                {
                    yield return piece;
                }

                if (ended)
                {
                    yield break;
                }
            }
        }
        finally
        {
            Dispose();
        }
    }

    /// <summary>Reads the answer piece by piece to its end, once, and blocks this thread until each has come.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="InvalidOperationException">The engine failed or was disposed.</exception>
    public IEnumerable<GenerationPiece> Read(CancellationToken cancellationToken = default)
    {
        try
        {
            bool ended = false;
            while (!ended)
            {
                _news.Wait(cancellationToken);
                (GenerationPiece? piece, ended) = Take();
                if (piece is not null)
                {
                    yield return piece;
                }
            }
        }
        finally
        {
            Dispose();
        }
    }

    /// <summary>Reads the whole answer at once.</summary>
    public async Task<GenerationPiece> ReadToEndAsync(CancellationToken cancellationToken = default)
    {
        StringBuilder text = new();
        List<GeneratedToken> tokens = [];
        await foreach (GenerationPiece piece in ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            text.Append(piece.Text);
            tokens.AddRange(piece.Tokens);
        }

        return new GenerationPiece(text.ToString(), tokens);
    }

    /// <summary>Stops the engine's work on the answer, if it hasn't ended.</summary>
    public void Dispose() => _cancelled = true;

    /// <summary>Takes the next token; returns whether a stop string is complete.</summary>
    internal bool Accept(int token, double logProbability, ReadOnlySpan<TokenLogProbability> top)
    {
        lock (_gate)
        {
            CompletionTokens++;
            int start = _text.Length;
            bool stopped = _text.Append(token);
            if (_keepsTokens)
            {
                _tokens.Add(new GeneratedToken(token, logProbability, [.. top]));
                _places.Add(new Place(start, _text.Length, _text.IsWaiting));
            }

            Announce();
            return stopped;
        }
    }

    /// <summary>Ends the answer.</summary>
    internal void End(FinishReason reason)
    {
        lock (_gate)
        {
            _text.Complete();
            FinishReason = reason;
            _ended = true;
            Announce();
        }
    }

    /// <summary>Ends the answer with an error for its reader.</summary>
    internal void Fail(Exception error)
    {
        lock (_gate)
        {
            _error = error;
            _ended = true;
            Announce();
        }
    }

    /// <summary>Takes what has come since the last piece, and whether that was all.</summary>
    internal (GenerationPiece? Piece, bool Ended) Take()
    {
        lock (_gate)
        {
            _newsPending = false;
            if (_error is OperationCanceledException)
            {
                throw new OperationCanceledException(_error.Message, _error);
            }

            if (_error is not null)
            {
                throw new InvalidOperationException($"Generate: {_error.Message}", _error);
            }

            string text = new(_text[_charactersRead.._text.Released]);
            _charactersRead = _text.Released;
            List<GeneratedToken> tokens = _keepsTokens ? TakeTokens() : [];
            return (text.Length > 0 || tokens.Count > 0 ? new GenerationPiece(text, tokens) : null, _ended);
        }
    }

    /// <summary>
    /// Returns the tokens whose text has been given out; those that only made a stop string never are.
    /// </summary>
    private List<GeneratedToken> TakeTokens()
    {
        int ready = _tokensRead;
        while (ready < _tokens.Count && IsGivenOut(_places[ready]))
        {
            ready++;
        }

        List<GeneratedToken> tokens = _tokens[_tokensRead..ready];
        _tokensRead = ready;
        return tokens;
    }

    private bool IsGivenOut(Place place)
    {
        if (_text.IsStopped && place.Start >= _text.Length)
        {
            return false;
        }

        // Half a character may turn out to belong to a stop string: it waits until something behind it is given out.
        return _ended || place.End < _charactersRead || (place.End == _charactersRead && !place.LeavesHalf);
    }

    /// <summary>Wakes the reader, unless it has been woken and hasn't come yet.</summary>
    private void Announce()
    {
        if (!_newsPending)
        {
            _newsPending = true;
            _news.Release();
        }
    }

    /// <summary>Says where in the text a token stands, and whether it ends within a character.</summary>
    private readonly record struct Place(int Start, int End, bool LeavesHalf);
}
