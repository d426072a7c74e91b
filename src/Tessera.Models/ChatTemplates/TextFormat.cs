using System.Globalization;

namespace Tessera.Models.ChatTemplates;

/// <summary>Fills the places of a text as Python's str.format does, without format specifications.</summary>
internal static class TextFormat
{
    /// <summary>Returns a text with {}, {0} and {name} replaced by arguments.</summary>
    public static Text Format(Text text, Arguments arguments, Budget budget)
    {
        TextBuilder builder = new();
        string value = text.Value;
        int next = 0;
        int start = 0;
        for (int i = 0; i < value.Length; i++)
        {
            if (value[i] is not ('{' or '}'))
            {
                continue;
            }

            builder.Append(text, start, i);
            if (i + 1 < value.Length && value[i + 1] == value[i])
            {
                builder.Append(text, i, i + 1);
                start = ++i + 1;
                continue;
            }

            int end = value.IndexOf('}', i);
            if (value[i] == '}' || end < 0)
            {
                throw new TemplateError($"format: a single '{value[i]}'");
            }

            Text filled = PythonText.Of(Argument(value[(i + 1)..end], arguments, ref next), budget);
            budget.SpendText((long)builder.Length + filled.Value.Length, filled.Value.Length);
            builder.Append(filled);
            i = end;
            start = end + 1;
        }

        builder.Append(text, start, value.Length);
        return builder.ToText();
    }

    private static object? Argument(string field, Arguments arguments, ref int next)
    {
        if (field.Length == 0 || int.TryParse(field, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            int place = field.Length == 0 ? next++ : int.Parse(field, CultureInfo.InvariantCulture);
            return place < arguments.Positional.Count
                ? arguments.Positional[place]
                : throw new TemplateError($"format: there is no argument {place}");
        }

        return field.AsSpan().IndexOfAny(":!.[") < 0
            ? arguments.Required(int.MaxValue, field)
            : throw new TemplateError($"format: '{{{field}}}' is not supported");
    }
}
