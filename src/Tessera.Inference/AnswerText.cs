using System.Buffers;
using Tessera.Models.Tokenizers;

namespace Tessera.Inference;

/// <summary>
/// Collects the text of an answer and says how much of it may be given out: whole characters, and nothing that is a
/// stop string or could turn out to be the beginning of one.
/// </summary>
internal sealed class AnswerText
{
    // Room for an answer of usual length, so that writing it seldom allocates: 32 KB.
    private const int UsualLength = 1 << 14;

    private readonly StreamingDecoder _decoder;
    private readonly string[] _stops;
    private readonly ArrayBufferWriter<char> _text = new(UsualLength);
    private readonly int _longestStop;
    private int? _end;

    public AnswerText(Tokenizer tokenizer, IReadOnlyList<string> stops)
    {
        // Control tokens are the template's own, not the answer's words.
        _decoder = tokenizer.CreateDecoder(skipSpecials: true);
        _stops = [.. stops];
        _longestStop = stops.Select(stop => stop.Length).DefaultIfEmpty(0).Max();
    }

    /// <summary>Gets how many characters have come, up to a stop string.</summary>
    public int Length => _end ?? _text.WrittenCount;

    /// <summary>Gets whether a stop string has ended the text.</summary>
    public bool IsStopped => _end is not null;

    /// <summary>Gets whether the last token left half a character.</summary>
    public bool IsWaiting => _decoder.IsWaiting;

    /// <summary>Gets how many characters may be given out.</summary>
    public int Released { get; private set; }

    /// <summary>Returns characters that may be given out.</summary>
    public ReadOnlySpan<char> this[Range range] => _text.WrittenSpan[..Released][range];

    /// <summary>Takes a token; returns whether a stop string is complete, which ends the text before it.</summary>
    public bool Append(int token)
    {
        int before = _text.WrittenCount;
        _decoder.Append(token, _text);
        return FindStop(before);
    }

    /// <summary>Ends the text: what was held back is given out, unless it completes a stop string.</summary>
    public void Complete()
    {
        int before = _text.WrittenCount;
        _decoder.Flush(_text);
        if (_end is null && !FindStop(before))
        {
            Released = _text.WrittenCount;
        }
    }

    private bool FindStop(int searched)
    {
        ReadOnlySpan<char> text = _text.WrittenSpan;
        int from = Math.Max(0, searched - _longestStop + 1);
        int firstEnd = int.MaxValue;
        foreach (string stop in _stops)
        {
            // The stop that is complete first ends the text, however the text is cut into tokens; of two that end
            // together it is the longer one.
            int start = text[from..].IndexOf(stop);
            int end = from + start + stop.Length;
            if (start >= 0 && (end < firstEnd || (end == firstEnd && from + start < _end)))
            {
                (_end, firstEnd) = (from + start, end);
            }
        }

        Released = _end ?? (text.Length - LongestBeginning(text));
        return _end is not null;
    }

    /// <summary>Returns the length of the longest end of the text that begins a stop string.</summary>
    private int LongestBeginning(ReadOnlySpan<char> text)
    {
        for (int length = Math.Min(_longestStop - 1, text.Length); length > 0; length--)
        {
            foreach (string stop in _stops)
            {
                if (length < stop.Length && text.EndsWith(stop.AsSpan(0, length)))
                {
                    return length;
                }
            }
        }

        return 0;
    }
}
