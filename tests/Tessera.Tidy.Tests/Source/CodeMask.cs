namespace Tessera.Tidy.Tests.Source;

/// <summary>
/// Blanks what is not code in C#: comments, the contents of strings and characters, and preprocessor lines. Lengths and
/// line breaks stay, so that a place in the mask is the same place in the text; the holes of an interpolated string
/// are code.
/// </summary>
internal sealed class CodeMask
{
    private readonly string _text;
    private readonly char[] _mask;
    private int _at;

    private CodeMask(string text)
    {
        _text = text;
        _mask = text.ToCharArray();
    }

    /// <summary>Returns the text with everything blanked that is not code.</summary>
    public static string Of(string text)
    {
        CodeMask mask = new(text);
        mask.Code(closingBraces: 0);
        return new string(mask._mask);
    }

    // Reads code to the end of the text, or of the hole that so many braces close.
    private void Code(int closingBraces)
    {
        int open = 0;
        while (_at < _text.Length)
        {
            if (closingBraces > 0 && open == 0 && _text[_at] == '}')
            {
                return;
            }

            if (Literal())
            {
                continue;
            }

            open += _text[_at] switch { '{' => 1, '}' => -1, _ => 0 };
            _at++;
        }
    }

    // Passes a comment, a literal or a preprocessor line; returns whether one was there.
    private bool Literal()
    {
        if (Starts("//") || (_text[_at] == '#' && IsFirstOfLine()))
        {
            BlankTo("\n", includeEnd: false);
            return true;
        }

        if (Starts("/*"))
        {
            BlankTo("*/", includeEnd: true);
            return true;
        }

        if (_text[_at] == '\'')
        {
            Quoted('\'', escapes: true, interpolated: false);
            return true;
        }

        return Text();
    }

    private bool Text()
    {
        int quote = _at;
        while (quote < _text.Length && _text[quote] is '$' or '@')
        {
            quote++;
        }

        if (quote >= _text.Length || _text[quote] != '"')
        {
            return false;
        }

        string prefix = _text[_at..quote];
        _at = quote;
        int quotes = Run('"');
        int holes = prefix.Count(c => c == '$');
        if (quotes >= 3)
        {
            Raw(quotes, holes);
        }
        else
        {
            Quoted('"', escapes: !prefix.Contains('@', StringComparison.Ordinal), holes > 0);
        }

        return true;
    }

    // A string or a character in single quotes of its kind; a verbatim one doubles its quote instead of escaping it.
    private void Quoted(char quote, bool escapes, bool interpolated)
    {
        _at++;
        while (_at < _text.Length)
        {
            char here = _text[_at];
            bool doubled = _at + 1 < _text.Length && _text[_at + 1] == here;
            if (here == quote && (escapes || !doubled))
            {
                _at++;
                return;
            }

            bool pair = (escapes && here == '\\') || (!escapes && here == quote)
                || (interpolated && here is '{' or '}' && doubled);
            if (interpolated && here == '{' && !pair)
            {
                Hole(1);
                continue;
            }

            Blank();
            if (pair)
            {
                Blank();
            }
        }
    }

    private void Raw(int quotes, int braces)
    {
        _at += quotes;
        while (_at < _text.Length)
        {
            if (Run('"') >= quotes)
            {
                _at += Run('"');
                return;
            }

            int open = Run('{');
            if (braces > 0 && open >= braces)
            {
                _at += open - braces;
                Hole(braces);
                continue;
            }

            Blank();
        }
    }

    private void Hole(int braces)
    {
        _at += braces;
        Code(braces);
        _at = Math.Min(_text.Length, _at + braces);
    }

    private bool Starts(string mark) => string.CompareOrdinal(_text, _at, mark, 0, mark.Length) == 0;

    private int Run(char c)
    {
        int end = _at;
        while (end < _text.Length && _text[end] == c)
        {
            end++;
        }

        return end - _at;
    }

    private bool IsFirstOfLine()
    {
        int start = _text.LastIndexOf('\n', Math.Max(0, _at - 1)) + 1;
        return _at == start || string.IsNullOrWhiteSpace(_text[Math.Min(start, _at).._at]);
    }

    private void BlankTo(string end, bool includeEnd)
    {
        int found = _text.IndexOf(end, _at, StringComparison.Ordinal);
        int stop = found < 0 ? _text.Length : includeEnd ? found + end.Length : found;
        while (_at < stop)
        {
            Blank();
        }
    }

    private void Blank()
    {
        if (_at < _text.Length && _mask[_at] is not ('\n' or '\r'))
        {
            _mask[_at] = ' ';
        }

        _at++;
    }
}
