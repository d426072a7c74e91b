using System.Buffers;
using System.Text;

namespace Tessera.Models.ChatTemplates;

/// <summary>Holds the methods of texts, as Python's str has them; what is cut and joined keeps whose it is.</summary>
internal static class TextMethods
{
    /// <summary>Returns a text's method, or null.</summary>
    public static Callable? Find(Text text, string name, Budget budget)
    {
        Func<Arguments, object?>? body = name switch
        {
            "strip" => arguments => Strip(text, arguments.TextOrNull(0, "chars"), left: true, right: true),
            "lstrip" => arguments => Strip(text, arguments.TextOrNull(0, "chars"), left: true, right: false),
            "rstrip" => arguments => Strip(text, arguments.TextOrNull(0, "chars"), left: false, right: true),
            "split" => arguments => Split(text, arguments, fromRight: false, budget),
            "rsplit" => arguments => Split(text, arguments, fromRight: true, budget),
            "splitlines" => arguments => new Sequence([.. Lines(text, budget)]),
            "startswith" => arguments =>
                AnyOf(arguments, part => text.Value.StartsWith(part, StringComparison.Ordinal)),
            "endswith" => arguments => AnyOf(arguments, part => text.Value.EndsWith(part, StringComparison.Ordinal)),
            "removeprefix" => arguments => WithoutPrefix(text, arguments.Text(0, "prefix").Value),
            "removesuffix" => arguments => WithoutSuffix(text, arguments.Text(0, "suffix").Value),
            "replace" => arguments => Replace(
                text, arguments.Text(0, "old"), arguments.Text(1, "new"), arguments.Number(2, "count", -1), budget),
            "find" => arguments =>
                Position(text, text.Value.IndexOf(arguments.Text(0, "sub").Value, StringComparison.Ordinal)),
            "rfind" => arguments =>
                Position(text, text.Value.LastIndexOf(arguments.Text(0, "sub").Value, StringComparison.Ordinal)),
            "count" => arguments => Count(text.Value, arguments.Text(0, "sub").Value),
            "join" => arguments => Join(text, Values.Iterate(arguments.Required(0, "iterable"), budget), budget),
            "format" => arguments => TextFormat.Format(text, arguments, budget),
            "lower" => arguments => Mapped(text, text.Value.ToLowerInvariant()),
            "upper" => arguments => Mapped(text, text.Value.ToUpperInvariant()),
            "title" => arguments => Mapped(text, Title(text.Value)),
            "capitalize" => arguments => Mapped(text, Capitalized(text.Value)),
            "isdigit" => arguments => text.Value.Length > 0 && text.Value.All(char.IsDigit),
            "isalpha" => arguments => text.Value.Length > 0 && text.Value.All(char.IsLetter),
            "isalnum" => arguments => text.Value.Length > 0 && text.Value.All(char.IsLetterOrDigit),
            "isspace" => arguments => text.Value.Length > 0 && text.Value.All(PythonText.IsSpace),
            _ => null,
        };
        return body is null ? null : new Callable(name, arguments =>
        {
            budget.SpendText(text.Value.Length);
            return body(arguments);
        });
    }

    /// <summary>Returns a text without white space, or some characters, at its ends.</summary>
    public static Text Strip(Text text, Text? characters, bool left, bool right)
    {
        HashSet<Rune>? set = characters is null ? null : [.. characters.Value.EnumerateRunes()];
        bool Drops(Rune rune) => set?.Contains(rune) ?? (rune.IsBmp && PythonText.IsSpace((char)rune.Value));
        (int start, int end) = (0, text.Value.Length);
        while (left && start < end && RuneAt(text.Value, start) is Rune first && Drops(first))
        {
            start += first.Utf16SequenceLength;
        }

        while (right && end > start && RuneBefore(text.Value, end) is Rune last && Drops(last))
        {
            end -= last.Utf16SequenceLength;
        }

        return text.Cut(start, end);
    }

    /// <summary>Returns a text with a part replaced; a count below 0 is all of them.</summary>
    public static Text Replace(Text text, Text old, Text replacement, int count, Budget budget)
    {
        TextBuilder builder = new();
        int start = 0;
        int position = 0;
        for (int done = 0; done != count; done++)
        {
            bool isPast = position > text.Value.Length;
            int at = isPast ? -1 : text.Value.IndexOf(old.Value, position, StringComparison.Ordinal);
            if (at < 0)
            {
                break;
            }

            builder.Append(text, start, at);
            budget.SpendText((long)builder.Length + replacement.Value.Length, replacement.Value.Length);
            builder.Append(replacement);
            start = at + old.Value.Length;
            position = old.Value.Length > 0 ? start : NextPosition(text.Value, at);
        }

        builder.Append(text, start, text.Value.Length);
        return builder.ToText();
    }

    /// <summary>Returns values as texts with a separator between them.</summary>
    public static Text Join(Text separator, List<object?> items, Budget budget)
    {
        TextBuilder builder = new();
        for (int i = 0; i < items.Count; i++)
        {
            Text item = PythonText.Of(items[i], budget);
            long appended = (long)item.Value.Length + separator.Value.Length;
            budget.SpendText(builder.Length + appended, appended);
            builder.Append(i > 0 ? separator : Text.Empty);
            builder.Append(item);
        }

        return builder.ToText();
    }

    /// <summary>Returns a text's lines without their ends.</summary>
    public static List<Text> Lines(Text text, Budget budget)
    {
        List<Text> lines = [];
        string value = text.Value;
        int start = 0;
        for (int i = 0; i < value.Length; i++)
        {
            if (value[i] is '\n' or '\r' or '\v' or '\f' or (>= '\x1C' and <= '\x1E') or '\x85' or '\u2028' or '\u2029')
            {
                budget.Spend();
                lines.Add(text.Cut(start, i));
                i += value[i] == '\r' && i + 1 < value.Length && value[i + 1] == '\n' ? 1 : 0;
                start = i + 1;
            }
        }

        if (start < value.Length)
        {
            lines.Add(text.Cut(start, value.Length));
        }

        return lines;
    }

    /// <summary>Returns a text with other characters in the same places.</summary>
    public static Text Mapped(Text text, string characters) => new(characters, text.Runs.ToArray(), text.IsMarkup);

    /// <summary>Returns a text with the first letter of each word in upper case, the others in lower case.</summary>
    public static string Title(string text)
    {
        char[] characters = text.ToCharArray();
        for (int i = 0; i < characters.Length; i++)
        {
            bool inWord = i > 0 && char.IsLetter(characters[i - 1]);
            characters[i] = inWord ? char.ToLowerInvariant(characters[i]) : char.ToUpperInvariant(characters[i]);
        }

        return new string(characters);
    }

    /// <summary>
    /// Returns a text with the first character of each word in upper case, the others in lower case; words end at white
    /// space, dashes and opening brackets, as those of Jinja's filter do.
    /// </summary>
    public static string TitleOfWords(string text)
    {
        char[] characters = text.ToCharArray();
        bool inWord = false;
        for (int i = 0; i < characters.Length; i++)
        {
            characters[i] = inWord ? char.ToLowerInvariant(characters[i]) : char.ToUpperInvariant(characters[i]);
            inWord = !PythonText.IsSpace(characters[i]) && !"-({[<".Contains(characters[i], StringComparison.Ordinal);
        }

        return new string(characters);
    }

    /// <summary>Returns a text with its first character in upper case, the others in lower case.</summary>
    public static string Capitalized(string text) =>
        text.Length == 0 ? "" : char.ToUpperInvariant(text[0]) + text[1..].ToLowerInvariant();

    private static Rune? RuneAt(string text, int position) =>
        Rune.TryGetRuneAt(text, position, out Rune rune) ? rune : null;

    private static Rune? RuneBefore(string text, int end) =>
        Rune.DecodeLastFromUtf16(text.AsSpan(0, end), out Rune rune, out _) == OperationStatus.Done ? rune : null;

    // Where an empty text is found next; past the end there is none.
    private static int NextPosition(string text, int at) =>
        at >= text.Length ? at + 1 : at + (char.IsSurrogatePair(text, at) ? 2 : 1);

    private static Sequence Split(Text text, Arguments arguments, bool fromRight, Budget budget)
    {
        Text? separator = arguments.TextOrNull(0, "sep");
        int most = arguments.Number(1, "maxsplit", -1);
        if (separator?.Value.Length == 0)
        {
            throw new TemplateError("split: the separator is empty");
        }

        List<(int Start, int End)> parts = separator is null
            ? Words(text.Value, budget)
            : Parts(text.Value, separator.Value, budget);
        if (most >= 0 && parts.Count > most + 1)
        {
            // What is over the count stays together, up to the end or from the begin of the text.
            int over = parts.Count - most - 1;
            parts = fromRight
                ? [(0, parts[over].End), .. parts[(over + 1)..]]
                : [.. parts[..most], (parts[most].Start, text.Value.Length)];
        }

        return new Sequence([.. parts.Select(part => text.Cut(part.Start, part.End))]);
    }

    private static List<(int Start, int End)> Words(string text, Budget budget)
    {
        List<(int Start, int End)> words = [];
        int start = -1;
        for (int i = 0; i <= text.Length; i++)
        {
            bool inWord = i < text.Length && !PythonText.IsSpace(text[i]);
            if (inWord && start < 0)
            {
                start = i;
            }
            else if (!inWord && start >= 0)
            {
                budget.Spend();
                words.Add((start, i));
                start = -1;
            }
        }

        return words;
    }

    private static List<(int Start, int End)> Parts(string text, string separator, Budget budget)
    {
        List<(int Start, int End)> parts = [];
        int start = 0;
        while (text.IndexOf(separator, start, StringComparison.Ordinal) is var at and >= 0)
        {
            budget.Spend();
            parts.Add((start, at));
            start = at + separator.Length;
        }

        parts.Add((start, text.Length));
        return parts;
    }

    private static bool AnyOf(Arguments arguments, Func<string, bool> holds) => arguments.Required(0, "prefix") switch
    {
        Text part => holds(part.Value),
        Sequence { Is: Sequence.Kind.Tuple } parts =>
            parts.Items.Exists(part => part is Text text && holds(text.Value)),
        object other => throw new TemplateError($"startswith, endswith: {PythonText.TypeName(other)}, wanted a text"),
        null => throw new TemplateError("startswith, endswith: NoneType, wanted a text"),
    };

    private static Text WithoutPrefix(Text text, string prefix) =>
        text.Value.StartsWith(prefix, StringComparison.Ordinal) ? text.Cut(prefix.Length, text.Value.Length) : text;

    private static Text WithoutSuffix(Text text, string suffix) =>
        text.Value.EndsWith(suffix, StringComparison.Ordinal) ? text.Cut(0, text.Value.Length - suffix.Length) : text;

    private static long Position(Text text, int found) =>
        found < 0 ? -1 : text.Value.AsSpan(0, found).ToString().EnumerateRunes().Count();

    private static long Count(string text, string part)
    {
        if (part.Length == 0)
        {
            return text.EnumerateRunes().Count() + 1;
        }

        long count = 0;
        for (int at = 0; (at = text.IndexOf(part, at, StringComparison.Ordinal)) >= 0; at += part.Length)
        {
            count++;
        }

        return count;
    }
}
