using System.Globalization;
using System.Text;

namespace Tessera.Models.ChatTemplates;

/// <summary>
/// Cuts a template into tokens as Jinja does with trim_blocks and lstrip_blocks set: a line end after a statement is
/// dropped, and so is white space before one that stands first in its line.
/// </summary>
internal sealed class TemplateLexer
{
    // Longer ones first, so that the longest is found.
    private static readonly string[] _operators =
    [
        "//", "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "~", ">", "<", "=", ".", ":", "|", ",", "(", ")", "[",
        "]", "{", "}",
    ];

    private readonly string _template;
    private readonly string _source;
    private readonly List<TemplateToken> _tokens = [];
    private readonly Stack<char> _brackets = [];
    private int _position;
    private int _line = 1;
    private int _lineAt;

    private TemplateLexer(string template, string source)
    {
        _template = template;

        // One line end at the template's end is dropped, and all line ends are the same.
        string normal = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        _source = normal.EndsWith('\n') ? normal[..^1] : normal;
    }

    /// <summary>Returns the tokens of a template.</summary>
    public static List<TemplateToken> Read(string template, string source) =>
        new TemplateLexer(template, source).Read();

    private List<TemplateToken> Read()
    {
        bool atLineStart = true;
        while (_position < _source.Length)
        {
            int open = NextTag();
            string text = _source[_position..open];
            if (open == _source.Length)
            {
                Add(TokenKind.Data, text);
                _position = open;
                break;
            }

            char kind = _source[open + 1];
            char sign = open + 2 < _source.Length ? _source[open + 2] : ' ';
            Add(TokenKind.Data, StripBefore(text, kind, sign, atLineStart));
            _position = open + (sign is '-' or '+' ? 3 : 2);
            if (kind == '#')
            {
                SkipComment();
            }
            else
            {
                ReadTag(kind == '%');
            }

            atLineStart = _source[_position - 1] == '\n';
        }

        _tokens.Add(new TemplateToken(TokenKind.End, "the template's end", LineAt(_source.Length)));
        return _tokens;
    }

    private int NextTag()
    {
        for (int at = _position; ; at++)
        {
            at = _source.IndexOf('{', at);
            if (at < 0 || at + 1 >= _source.Length)
            {
                return _source.Length;
            }

            if (_source[at + 1] is '{' or '%' or '#')
            {
                return at;
            }
        }
    }

    private static string StripBefore(string text, char kind, char sign, bool atLineStart)
    {
        if (sign == '-')
        {
            return text[..PythonText.TrimmedEnd(text, 0)];
        }

        if (sign == '+' || kind == '{')
        {
            return text;
        }

        int lineStart = text.LastIndexOf('\n') + 1;
        bool firstInLine = (lineStart > 0 || atLineStart) && PythonText.TrimmedEnd(text, lineStart) == lineStart;
        return firstInLine ? text[..lineStart] : text;
    }

    private void SkipComment()
    {
        int end = _source.IndexOf("#}", _position, StringComparison.Ordinal);
        if (end < 0)
        {
            throw Error("a comment has no end");
        }

        char sign = end > _position ? _source[end - 1] : ' ';
        _position = end + 2;
        SkipAfter(sign);
    }

    private void SkipAfter(char sign)
    {
        if (sign == '-')
        {
            while (_position < _source.Length && PythonText.IsSpace(_source[_position]))
            {
                _position++;
            }
        }
        else if (sign != '+' && _position < _source.Length && _source[_position] == '\n')
        {
            _position++;
        }
    }

    private void ReadTag(bool isBlock)
    {
        Add(isBlock ? TokenKind.BlockBegin : TokenKind.OutputBegin, isBlock ? "{%" : "{{");
        string end = isBlock ? "%}" : "}}";
        _brackets.Clear();
        while (true)
        {
            SkipSpace();
            if (_position >= _source.Length)
            {
                throw Error($"a tag has no {end}");
            }

            if (_brackets.Count == 0 && TryEnd(end, isBlock))
            {
                return;
            }

            ReadToken();
        }
    }

    private bool TryEnd(string end, bool isBlock)
    {
        char sign = _source[_position];
        bool signed = (sign == '-' || (sign == '+' && isBlock)) && HasAt(_position + 1, end);
        if (!signed && !HasAt(_position, end))
        {
            return false;
        }

        Add(isBlock ? TokenKind.BlockEnd : TokenKind.OutputEnd, end);
        _position += signed ? 3 : 2;
        if (isBlock || sign == '-')
        {
            SkipAfter(signed ? sign : ' ');
        }

        return true;
    }

    private void ReadToken()
    {
        char first = _source[_position];
        if (char.IsLetter(first) || first == '_')
        {
            ReadWhile(TokenKind.Name, character => char.IsLetterOrDigit(character) || character == '_');
        }
        else if (char.IsAsciiDigit(first))
        {
            ReadNumber();
        }
        else if (first is '"' or '\'')
        {
            ReadString(first);
        }
        else
        {
            ReadOperator(first);
        }
    }

    private void ReadOperator(char first)
    {
        string operation = Array.Find(_operators, known => HasAt(_position, known))
            ?? throw Error($"the character '{first}' is of no expression");
        if (operation is "(" or "[" or "{")
        {
            _brackets.Push(operation[0] == '(' ? ')' : operation[0] == '[' ? ']' : '}');
        }
        else if (operation is ")" or "]" or "}" && (!_brackets.TryPop(out char wanted) || wanted != operation[0]))
        {
            throw Error($"'{operation}' closes no bracket");
        }

        Add(TokenKind.Operator, operation);
        _position += operation.Length;
    }

    private void ReadNumber()
    {
        int start = _position;
        Digits();
        bool isFloat = false;
        if (HasAt(_position, ".") && _position + 1 < _source.Length && char.IsAsciiDigit(_source[_position + 1]))
        {
            isFloat = true;
            _position++;
            Digits();
        }

        int exponent = _position;
        if (exponent < _source.Length && _source[exponent] is 'e' or 'E')
        {
            _position += exponent + 1 < _source.Length && _source[exponent + 1] is '+' or '-' ? 2 : 1;
            int digits = _position;
            Digits();
            isFloat |= _position > digits;
            _position = _position > digits ? _position : exponent;
        }

        string text = _source[start.._position].Replace("_", "", StringComparison.Ordinal);
        Add(isFloat ? TokenKind.Float : TokenKind.Whole, text);
    }

    private void Digits()
    {
        while (_position < _source.Length && (char.IsAsciiDigit(_source[_position]) || _source[_position] == '_'))
        {
            _position++;
        }
    }

    private void ReadString(char quote)
    {
        StringBuilder value = new();
        int line = LineAt(_position);
        for (_position++; _position < _source.Length && _source[_position] != quote;)
        {
            if (_source[_position] == '\\' && _position + 1 < _source.Length)
            {
                ReadEscape(value);
            }
            else
            {
                value.Append(_source[_position++]);
            }
        }

        if (_position >= _source.Length)
        {
            throw new ChatTemplateException(_template, line, "a string has no end");
        }

        _position++;
        _tokens.Add(new TemplateToken(TokenKind.String, value.ToString(), line));
    }

    private void ReadEscape(StringBuilder value)
    {
        char escaped = _source[_position + 1];
        int hexDigits = escaped switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
        if (hexDigits > 0)
        {
            int end = _position + 2 + hexDigits;
            int code = 0;
            bool valid = end <= _source.Length && int.TryParse(
                _source.AsSpan(_position + 2, hexDigits),
                NumberStyles.AllowHexSpecifier,
                CultureInfo.InvariantCulture,
                out code);
            value.Append(valid && Rune.IsValid(code) ? new Rune(code) : throw Error($"\\{escaped} is no escape"));
            _position = end;
            return;
        }

        // Python keeps the backslash of an escape that it doesn't know.
        value.Append(escaped switch
        {
            'n' => "\n",
            't' => "\t",
            'r' => "\r",
            'b' => "\b",
            'f' => "\f",
            'v' => "\v",
            'a' => "\a",
            '0' => "\0",
            '\n' => "",
            '\\' or '\'' or '"' => escaped.ToString(),
            _ => "\\" + escaped,
        });
        _position += 2;
    }

    private void ReadWhile(TokenKind kind, Func<char, bool> belongs)
    {
        int start = _position;
        while (_position < _source.Length && belongs(_source[_position]))
        {
            _position++;
        }

        _tokens.Add(new TemplateToken(kind, _source[start.._position], LineAt(start)));
    }

    private void SkipSpace()
    {
        while (_position < _source.Length && PythonText.IsSpace(_source[_position]))
        {
            _position++;
        }
    }

    private bool HasAt(int position, string text) =>
        string.CompareOrdinal(_source, position, text, 0, text.Length) == 0;

    private void Add(TokenKind kind, string value)
    {
        if (kind != TokenKind.Data || value.Length > 0)
        {
            _tokens.Add(new TemplateToken(kind, value, LineAt(_position)));
        }
    }

    // Positions only grow, so that each line is counted once.
    private int LineAt(int position)
    {
        for (; _lineAt < position; _lineAt++)
        {
            _line += _source[_lineAt] == '\n' ? 1 : 0;
        }

        return _line;
    }

    private ChatTemplateException Error(string problem) =>
        new(_template, LineAt(Math.Min(_position, _source.Length)), problem);
}
