using System.Globalization;

namespace Tessera.Models.ChatTemplates;

/// <summary>
/// Writes values as Python's json.dumps does. What a text holds keeps whose it is; brackets, commas and numbers count
/// as data.
/// </summary>
internal sealed class JsonOutput(Budget budget)
{
    private const int Deepest = 64;

    private readonly TextBuilder _output = new();

    /// <summary>Gets the number of spaces of a level, or null for one line.</summary>
    public int? Indent { get; init; }

    /// <summary>Gets whether all but ASCII is escaped.</summary>
    public bool OnlyAscii { get; init; }

    /// <summary>Gets whether keys are sorted.</summary>
    public bool SortKeys { get; init; }

    /// <summary>Gets what stands between items; null is Python's usual.</summary>
    public string? ItemSeparator { get; init; }

    /// <summary>Gets what stands between key and value.</summary>
    public string KeySeparator { get; init; } = ": ";

    /// <summary>Returns a value as JSON.</summary>
    public Text Write(object? value)
    {
        Write(value, 0);
        return _output.ToText();
    }

    private void Write(object? value, int depth)
    {
        budget.Spend();
        if (depth > Deepest)
        {
            throw new TemplateError($"tojson: a value is nested more than {Deepest} deep");
        }

        switch (value)
        {
            case null:
                Data("null");
                break;
            case bool flag:
                Data(flag ? "true" : "false");
                break;
            case long number:
                Data(number.ToString(CultureInfo.InvariantCulture));
                break;
            case double number:
                Data(Number(number));
                break;
            case Text text:
                String(text);
                break;
            case Map { IsNamespace: false } map:
                Object(map, depth);
                break;
            case Sequence { Is: Sequence.Kind.List or Sequence.Kind.Tuple } sequence:
                Array(sequence, depth);
                break;
            default:
                throw new TemplateError($"tojson: a value of type {PythonText.TypeName(value)} has no JSON");
        }
    }

    private static string Number(double number) =>
        double.IsNaN(number) ? "NaN"
        : double.IsInfinity(number) ? (number > 0 ? "Infinity" : "-Infinity")
        : PythonText.Float(number);

    private void Object(Map map, int depth)
    {
        if (map.Count == 0)
        {
            Data("{}");
            return;
        }

        IEnumerable<(object? Key, object? Value)> entries = map.Entries;
        if (SortKeys)
        {
            entries = Values.Sorted(entries, entry => entry.Key, reverse: false, budget);
        }

        Data("{");
        bool first = true;
        foreach ((object? key, object? value) in entries)
        {
            Separate(ref first, depth + 1);
            String(key as Text ?? Text.OfData(KeyText(key)));
            Data(KeySeparator);
            Write(value, depth + 1);
        }

        NewLine(depth);
        Data("}");
    }

    private void Array(Sequence sequence, int depth)
    {
        if (sequence.Items.Count == 0)
        {
            Data("[]");
            return;
        }

        Data("[");
        bool first = true;
        foreach (object? item in sequence.Items)
        {
            Separate(ref first, depth + 1);
            Write(item, depth + 1);
        }

        NewLine(depth);
        Data("]");
    }

    private static string KeyText(object? key) => key switch
    {
        null => "null",
        bool flag => flag ? "true" : "false",
        double number => Number(number),
        long number => number.ToString(CultureInfo.InvariantCulture),
        _ => throw new TemplateError($"tojson: a key of type {PythonText.TypeName(key)}"),
    };

    private void Separate(ref bool first, int depth)
    {
        if (!first)
        {
            Data(ItemSeparator ?? (Indent is null ? ", " : ","));
        }

        first = false;
        NewLine(depth);
    }

    private void NewLine(int depth)
    {
        if (Indent is int width)
        {
            Data("\n" + new string(' ', width * depth));
        }
    }

    private void String(Text text)
    {
        budget.SpendText(_output.Length + (long)text.Value.Length);
        Data("\"");
        int start = 0;
        for (int i = 0; i < text.Value.Length; i++)
        {
            if (Escape(text.Value[i]) is string escaped)
            {
                _output.Append(text, start, i);
                Data(escaped);
                start = i + 1;
            }
        }

        _output.Append(text, start, text.Value.Length);
        Data("\"");
    }

    private string? Escape(char character) => character switch
    {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\b' => "\\b",
        '\f' => "\\f",
        < ' ' => $"\\u{(int)character:x4}",
        > '~' when OnlyAscii => $"\\u{(int)character:x4}",
        _ => null,
    };

    private void Data(string text) => _output.Append(text, isTemplate: false);
}
