using System.Globalization;

namespace Tessera.Models.ChatTemplates;

/// <summary>Holds Jinja's filters as far as chat templates use them.</summary>
internal sealed partial class TemplateFilters(Budget budget)
{
    /// <summary>Applies a filter to a value.</summary>
    public object? Apply(string name, object? value, Arguments arguments)
    {
        budget.Spend();
        return name switch
        {
            "tojson" => ToJson(value, arguments),
            "from_json" => FromJson(value),
            "length" or "count" => Values.Length(value, budget),
            "trim" => Trim(PythonText.Of(value, budget), arguments.TextOrNull(0, "chars")),
            "string" => PythonText.Of(value, budget),
            "safe" => PythonText.Of(value, budget).AsMarkup(),
            "default" or "d" => Default(value, arguments),
            "lower" => Mapped(value, text => text.ToLowerInvariant()),
            "upper" => Mapped(value, text => text.ToUpperInvariant()),
            "title" => Mapped(value, TextMethods.TitleOfWords),
            "capitalize" => Mapped(value, TextMethods.Capitalized),
            "replace" => TextMethods.Replace(
                PythonText.Of(value, budget),
                PythonText.Of(arguments.Required(0, "old"), budget),
                PythonText.Of(arguments.Required(1, "new"), budget),
                arguments.Number(2, "count", -1),
                budget),
            "indent" when value is Text text => Indent(text, arguments),
            "int" => ToWhole(value, arguments),
            "float" => ToFloat(value, arguments),
            "abs" when Values.AsNumber(value) is double number =>
                number < 0 ? Operators.Negate(value) : value is bool ? Values.AsWhole(value) : value,
            "indent" or "abs" => throw new TemplateError($"{name}: unsupported for {PythonText.TypeName(value)}"),
            _ => ApplyToItems(name, value, arguments),
        };
    }

    private Text ToJson(object? value, Arguments arguments)
    {
        Sequence? separators = arguments.Get(2, "separators") as Sequence;
        if (separators is { Items.Count: not 2 })
        {
            throw new TemplateError($"tojson: {separators.Items.Count} separators, wanted those of items and of keys");
        }

        JsonOutput output = new(budget)
        {
            OnlyAscii = Values.IsTrue(arguments.Get(0, "ensure_ascii")),
            Indent = arguments.Get(1, "indent") is null ? null : Math.Clamp(arguments.Number(1, "indent", 0), 0, 64),
            SortKeys = Values.IsTrue(arguments.Get(3, "sort_keys")),
            ItemSeparator = (separators?.Items[0] as Text)?.Value,
            KeySeparator = (separators?.Items[^1] as Text)?.Value ?? ": ",
        };
        return output.Write(value);
    }

    private object? FromJson(object? value)
    {
        Text text = PythonText.Of(value, budget);
        budget.SpendText(text.Value.Length);
        try
        {
            return JsonInput.Read(text.Value, budget);
        }
        catch (Exception broken) when (broken is System.Text.Json.JsonException or InvalidOperationException)
        {
            // The second is the library's word for an escaped half of a surrogate pair.
            throw new TemplateError($"from_json: {broken.Message}");
        }
    }

    private Text Trim(Text text, Text? characters)
    {
        budget.SpendText(text.Value.Length);
        return TextMethods.Strip(text, characters, left: true, right: true);
    }

    private static object? Default(object? value, Arguments arguments)
    {
        bool absent = value is Undefined || (Values.IsTrue(arguments.Get(1, "boolean")) && !Values.IsTrue(value));
        return absent ? arguments.Get(0, "default_value", Text.Empty) : value;
    }

    private Text Mapped(object? value, Func<string, string> map)
    {
        Text text = PythonText.Of(value, budget);
        budget.SpendText(text.Value.Length);
        return TextMethods.Mapped(text, map(text.Value));
    }

    private Text Indent(Text text, Arguments arguments)
    {
        Text indent = arguments.Get(0, "width") as Text
            ?? Text.OfTemplate(new string(' ', Math.Clamp(arguments.Number(0, "width", 4), 0, 1024)));
        bool first = Values.IsTrue(arguments.Get(1, "first"));
        bool blank = Values.IsTrue(arguments.Get(2, "blank"));
        TextBuilder output = new();
        List<Text> lines = TextMethods.Lines(Operators.Join(text, Text.OfTemplate("\n"), budget), budget);
        for (int i = 0; i < lines.Count; i++)
        {
            long appended = (long)indent.Value.Length + lines[i].Value.Length + 1;
            budget.SpendText(output.Length + appended, appended);
            output.Append(i > 0 ? "\n" : "", isTemplate: true);
            bool isIndented = i == 0 ? first : blank || lines[i].Value.Length > 0;
            output.Append(isIndented ? indent : Text.Empty);
            output.Append(lines[i]);
        }

        return output.ToText();
    }

    private static object? ToWhole(object? value, Arguments arguments)
    {
        switch (value)
        {
            case Undefined undefined:
                throw new TemplateError(undefined.Problem);
            case long or bool:
                return Values.AsWhole(value);
            case double number when Math.Abs(number) < 1L << 62:
                return (long)number;
            case Text text when long.TryParse(
                text.Value.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole):
                return whole;
            case Text text when TryFloat(text, out double number) && Math.Abs(number) < 1L << 62:
                return (long)number;
            default:
                return arguments.Get(0, "default", 0L);
        }
    }

    private static object? ToFloat(object? value, Arguments arguments) => value switch
    {
        Undefined undefined => throw new TemplateError(undefined.Problem),
        long or bool or double => Values.AsNumber(value),
        Text text when TryFloat(text, out double number) => number,
        _ => arguments.Get(0, "default", 0.0),
    };

    private static bool TryFloat(Text text, out double number) =>
        double.TryParse(text.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out number);
}
