using System.Globalization;
using System.Text;

namespace Tessera.Models.ChatTemplates;

/// <summary>Writes values as Python's str and repr do.</summary>
internal static class PythonText
{
    // Python's repr goes this deep at most before a conversation is nonsense.
    private const int Deepest = 64;

    /// <summary>Returns what a value prints as; a text keeps whose it is, all else counts as data.</summary>
    public static Text Of(object? value, Budget budget)
    {
        if (value is Text text)
        {
            return text;
        }

        if (value is Undefined)
        {
            return Text.Empty;
        }

        StringBuilder output = new();
        Repr(output, value, budget, 0);
        return Text.OfData(output.ToString());
    }

    /// <summary>Returns whether a character is white space to Python, which also counts U+001C to U+001F.</summary>
    public static bool IsSpace(char character) => char.IsWhiteSpace(character) || character is >= '\x1C' and <= '\x1F';

    /// <summary>Returns where a text ends without the white space at its end, at least at a start.</summary>
    public static int TrimmedEnd(string text, int start)
    {
        int end = text.Length;
        while (end > start && IsSpace(text[end - 1]))
        {
            end--;
        }

        return end;
    }

    /// <summary>Returns the name of a value's type.</summary>
    public static string TypeName(object? value) => value switch
    {
        null => "NoneType",
        bool => "bool",
        long => "int",
        double => "float",
        Text => "str",
        Map { IsNamespace: true } => "Namespace",
        Map => "dict",
        Sequence sequence => sequence.Is.ToString().ToLowerInvariant(),
        Undefined => "Undefined",
        Callable => "function",
        _ => "object",
    };

    /// <summary>
    /// Writes a float as Python does: the shortest digits that give it back, as a power of ten only where it is far
    /// from 1.
    /// </summary>
    public static string Float(double value)
    {
        if (double.IsNaN(value))
        {
            return "nan";
        }

        if (double.IsInfinity(value))
        {
            return value > 0 ? "inf" : "-inf";
        }

        if (value == 0)
        {
            return double.IsNegative(value) ? "-0.0" : "0.0";
        }

        (string sign, string digits, int exponent) = Decompose(value);
        if (exponent is < -4 or >= 16)
        {
            string fraction = digits.Length > 1 ? "." + digits[1..] : "";
            return $"{sign}{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        }

        return exponent < 0
            ? $"{sign}0.{new string('0', -exponent - 1)}{digits}"
            : digits.Length <= exponent + 1
                ? $"{sign}{digits.PadRight(exponent + 1, '0')}.0"
                : $"{sign}{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
    }

    // The shortest digits that give a number back, and the power of ten of the first.
    private static (string Sign, string Digits, int Exponent) Decompose(double value)
    {
        string shortest = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture);
        int exponentAt = shortest.IndexOf('E', StringComparison.Ordinal);
        int exponent = exponentAt < 0 ? 0 : int.Parse(shortest[(exponentAt + 1)..], CultureInfo.InvariantCulture);
        string mantissa = exponentAt < 0 ? shortest : shortest[..exponentAt];
        int point = mantissa.IndexOf('.', StringComparison.Ordinal);
        int whole = point < 0 ? mantissa.Length : point;
        string digits = mantissa.Replace(".", "", StringComparison.Ordinal);
        int leading = digits.Length - digits.TrimStart('0').Length;
        return (value < 0 ? "-" : "", digits.Trim('0'), exponent + whole - leading - 1);
    }

    private static void Repr(StringBuilder output, object? value, Budget budget, int depth)
    {
        budget.Spend();
        if (depth > Deepest)
        {
            throw new TemplateError($"a value is nested more than {Deepest} deep");
        }

        switch (value)
        {
            case null:
                output.Append("None");
                break;
            case bool flag:
                output.Append(flag ? "True" : "False");
                break;
            case long number:
                output.Append(number);
                break;
            case double number:
                output.Append(Float(number));
                break;
            case Text text:
                budget.SpendText(output.Length + text.Value.Length);
                Quote(output, text.Value);
                break;
            case Map map:
                ReprMap(output, map, budget, depth);
                break;
            case Sequence sequence:
                ReprSequence(output, sequence, budget, depth);
                break;
            case Undefined:
                output.Append("Undefined");
                break;
            case Callable callable:
                output.Append($"<function {callable.Name}>");
                break;
        }
    }

    private static void ReprMap(StringBuilder output, Map map, Budget budget, int depth)
    {
        output.Append(map.IsNamespace ? "<Namespace {" : "{");
        string separator = "";
        foreach ((object? key, object? item) in map.Entries)
        {
            output.Append(separator);
            Repr(output, key, budget, depth + 1);
            output.Append(": ");
            Repr(output, item, budget, depth + 1);
            separator = ", ";
        }

        output.Append(map.IsNamespace ? "}>" : "}");
    }

    private static void ReprSequence(StringBuilder output, Sequence sequence, Budget budget, int depth)
    {
        (string open, string close) = sequence.Is switch
        {
            Sequence.Kind.Tuple => ("(", sequence.Items.Count == 1 ? ",)" : ")"),
            Sequence.Kind.View => ("dict_view([", "])"),
            Sequence.Kind.Generator => ("<generator [", "]>"),
            _ => ("[", "]"),
        };
        output.Append(open);
        for (int i = 0; i < sequence.Items.Count; i++)
        {
            output.Append(i > 0 ? ", " : "");
            Repr(output, sequence.Items[i], budget, depth + 1);
        }

        output.Append(close);
    }

    private static void Quote(StringBuilder output, string text)
    {
        bool doubled = text.Contains('\'', StringComparison.Ordinal) && !text.Contains('"', StringComparison.Ordinal);
        char quote = doubled ? '"' : '\'';
        output.Append(quote);
        foreach (Rune rune in text.EnumerateRunes())
        {
            output.Append(rune.Value switch
            {
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                int value when value == quote => "\\" + quote,
                < ' ' or 0x7F or (>= 0x80 and < 0xA1) or 0xAD => $"\\x{rune.Value:x2}",
                _ when IsPrintable(rune) => rune.ToString(),
                <= 0xFFFF => $"\\u{rune.Value:x4}",
                _ => $"\\U{rune.Value:x8}",
            });
        }

        output.Append(quote);
    }

    private static bool IsPrintable(Rune rune) => rune.Value == ' ' || Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.SpaceSeparator);
}
