using System.Text.RegularExpressions;

namespace Tessera.Tidy.Tests.Source;

/// <summary>
/// Finds the declarations of a C# file in its mask; reads only what well-formatted, compiling code needs.
/// </summary>
internal sealed partial class MemberReader
{
    private readonly string _mask;
    private readonly List<Member> _members = [];

    private MemberReader(string mask) => _mask = mask;

    private enum Body
    {
        File,
        Type,
        Interface,
        Enum,
    }

    /// <summary>Returns every type and member that the mask declares, outer ones before their members.</summary>
    public static IReadOnlyList<Member> Read(string mask)
    {
        MemberReader reader = new(mask);
        reader.ReadBody(0, mask.Length, Body.File, isVisible: true);
        return reader._members;
    }

    private void ReadBody(int start, int end, Body body, bool isVisible)
    {
        int first = -1;
        int at = start;
        while (at < end)
        {
            char here = _mask[at];
            if (char.IsWhiteSpace(here))
            {
                at++;
                continue;
            }

            first = first < 0 ? at : first;
            if (here is '(' or '[')
            {
                at = Close(at) + 1;
            }
            else if (here == '{' && !ContinuesAfterBlock(_mask[first..at]))
            {
                int close = Close(at);
                at = ReadBlock(first, at, close, body, isVisible) + 1;
                first = -1;
            }
            else if (here == '{')
            {
                at = Close(at) + 1;
            }
            else if (here == ';' || (here == ',' && body == Body.Enum))
            {
                Declare(first, at, at, body, isVisible);
                first = -1;
                at++;
            }
            else
            {
                at++;
            }
        }

        if (first >= 0 && body == Body.Enum)
        {
            Declare(first, end, end - 1, body, isVisible);
        }
    }

    // Reads a namespace, a type or a member with a block; returns its last place.
    private int ReadBlock(int first, int open, int close, Body body, bool isVisible)
    {
        string header = WithoutAttributes(_mask[first..open]);
        if (header.StartsWith("namespace", StringComparison.Ordinal))
        {
            ReadBody(open + 1, close, Body.File, isVisible);
            return close;
        }

        Match type = TypeHeader().Match(header);
        if (!type.Success)
        {
            // A property's initial value follows its block.
            int next = close + 1;
            while (next < _mask.Length && char.IsWhiteSpace(_mask[next]))
            {
                next++;
            }

            int last = next < _mask.Length && _mask[next] == '=' ? Semicolon(next) : close;
            Declare(first, open, last, body, isVisible);
            return last;
        }

        bool visible = isVisible && IsPublic(header, body);
        Declare(first, open, close, body, isVisible);
        Body inner = type.Groups["kind"].Value switch
        {
            "enum" => Body.Enum,
            "interface" => Body.Interface,
            _ => Body.Type,
        };
        ReadBody(open + 1, close, inner, visible);
        return close;
    }

    private void Declare(int first, int headerEnd, int last, Body body, bool isVisible)
    {
        string header = WithoutAttributes(_mask[first..headerEnd]);
        if (header.Length == 0 || NotADeclaration().IsMatch(header))
        {
            return;
        }

        Match type = TypeHeader().Match(header);
        bool isFunction = headerEnd < _mask.Length && _mask[headerEnd] == '{';
        MemberKind kind = type.Success ? MemberKind.Type
            : isFunction || IsFunction(header) ? MemberKind.Function : MemberKind.Value;
        string name = type.Success ? type.Groups["name"].Value : MemberName().Match(header).Groups["name"].Value;
        int modifier = first + _mask[first..headerEnd].IndexOf(header, StringComparison.Ordinal);
        _members.Add(new Member(kind, name, header, body != Body.File, isVisible && IsPublic(header, body),
            LineOf(first), LineOf(modifier), LineOf(last)));
    }

    private static bool IsPublic(string header, Body body) => body switch
    {
        Body.Enum => true,
        Body.Interface => !PrivateModifier().IsMatch(header),
        _ => PublicModifier().IsMatch(header) && !header.StartsWith("private protected", StringComparison.Ordinal),
    };

    // An expression body or an initial value goes on to its semicolon after a block; default values of parameters
    // stand within parentheses and don't count.
    private static bool ContinuesAfterBlock(string header) => Assignment().IsMatch(Flat(header));

    private static bool IsFunction(string header)
    {
        string flat = Flat(header);
        int arrow = flat.IndexOf("=>", StringComparison.Ordinal);
        int value = PlainAssignment().Match(flat) is { Success: true } match ? match.Index : int.MaxValue;
        return arrow >= 0 ? arrow < value : value == int.MaxValue && flat.Contains('(', StringComparison.Ordinal);
    }

    // Returns the code with what stands within parentheses and brackets left out.
    private static string Flat(string code)
    {
        System.Text.StringBuilder flat = new();
        int depth = 0;
        foreach (char c in code)
        {
            depth -= c is ')' or ']' ? 1 : 0;
            if (depth == 0)
            {
                flat.Append(c);
            }

            depth += c is '(' or '[' ? 1 : 0;
        }

        return flat.ToString();
    }

    private static string WithoutAttributes(string code)
    {
        code = code.Trim();
        while (code.StartsWith('['))
        {
            int depth = 0;
            int end = 0;
            do
            {
                depth += code[end] switch { '[' => 1, ']' => -1, _ => 0 };
                end++;
            }
            while (depth > 0 && end < code.Length);

            code = code[end..].TrimStart();
        }

        return code;
    }

    private int Close(int open)
    {
        int depth = 0;
        for (int i = open; i < _mask.Length; i++)
        {
            depth += _mask[i] is '(' or '[' or '{' ? 1 : _mask[i] is ')' or ']' or '}' ? -1 : 0;
            if (depth == 0)
            {
                return i;
            }
        }

        return _mask.Length - 1;
    }

    private int Semicolon(int at)
    {
        while (at < _mask.Length && _mask[at] != ';')
        {
            at = _mask[at] is '(' or '[' or '{' ? Close(at) + 1 : at + 1;
        }

        return Math.Min(at, _mask.Length - 1);
    }

    private int LineOf(int at) => _mask.AsSpan(0, Math.Min(at, _mask.Length)).Count('\n');

    private const string Modifiers =
        @"^(?:(?:public|internal|private|protected|static|sealed|abstract|partial|readonly|ref|unsafe|file|new)\s+)*";

    [GeneratedRegex(Modifiers
        + @"(?:(?<kind>class|struct|interface|enum|record(?:\s+(?:class|struct))?)\s+(?<name>\w+)"
        + @"|(?<kind>delegate)\s[^(]*?\b(?<name>\w+)\s*(?:<[^(]*>\s*)?\(|(?<kind>extension)\b(?<name>))")]
    private static partial Regex TypeHeader();

    [GeneratedRegex(@"^(?:using|namespace|global|extern|return|if|else|for|foreach|while|switch|try|await|throw)\b|^=")]
    private static partial Regex NotADeclaration();

    [GeneratedRegex(@"(?<name>\w+)\s*(?:<[^<>(]*>\s*)?(?:\(|\{|=|;|$)")]
    private static partial Regex MemberName();

    [GeneratedRegex(@"=>|(?<![=!<>])=(?![=>])")]
    private static partial Regex Assignment();

    [GeneratedRegex(@"(?<![=!<>])=(?![=>])")]
    private static partial Regex PlainAssignment();

    [GeneratedRegex(@"\bpublic\b|\bprotected\b")]
    private static partial Regex PublicModifier();

    [GeneratedRegex(@"^(?:private|internal)\b")]
    private static partial Regex PrivateModifier();
}
