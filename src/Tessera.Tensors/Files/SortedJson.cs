using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tessera.Tensors.Files;

/// <summary>
/// Writes JSON with the same bytes as Python's <c>json.dumps(value, indent=2, sort_keys=True)</c> and a line end, which
/// is how Hugging Face's libraries write a model's small files.
/// </summary>
public static class SortedJson
{
    // From here on Python writes a float with an exponent.
    private const int SmallestPlainExponent = -4;
    private const int LargestPlainExponent = 15;

    /// <summary>Writes a value.</summary>
    /// <param name="value">The value; keys are sorted, whatever their order here.</param>
    /// <param name="ascii">Whether letters outside ASCII are written as \uXXXX, Python's default.</param>
    public static string Write(JsonNode? value, bool ascii = true)
    {
        StringBuilder text = new();
        Append(text, value, ascii, 0);
        return text.Append('\n').ToString();
    }

    /// <summary>Returns a number as Python's repr does: the shortest digits that give the same number.</summary>
    /// <exception cref="ArgumentException">The number is infinite or none.</exception>
    public static string Number(double value)
    {
        if (!double.IsFinite(value))
        {
            throw new ArgumentException($"SortedJson: JSON has no {value}");
        }

        // "d.dddE±xxx": the digits and the exponent of the shortest form, to be laid out anew.
        string shortest = value.ToString("R", CultureInfo.InvariantCulture);
        string sign = shortest.StartsWith('-') ? "-" : "";
        string[] parts = shortest[sign.Length..].Split('E');
        string whole = parts[0].Split('.')[0];
        string all = parts[0].Replace(".", "", StringComparison.Ordinal);
        string digits = all.TrimStart('0');
        int exponent = (parts.Length > 1 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : 0)
            + whole.Length - 1 - (all.Length - digits.Length);
        digits = digits.TrimEnd('0');
        if (digits.Length == 0)
        {
            return sign + "0.0";
        }

        if (exponent is < SmallestPlainExponent or > LargestPlainExponent)
        {
            string rest = digits.Length > 1 ? "." + digits[1..] : "";
            string power = Math.Abs(exponent).ToString("00", CultureInfo.InvariantCulture);
            return $"{sign}{digits[0]}{rest}e{(exponent < 0 ? '-' : '+')}{power}";
        }

        if (exponent < 0)
        {
            return $"{sign}0.{new string('0', -exponent - 1)}{digits}";
        }

        digits = digits.PadRight(exponent + 1, '0');
        string fraction = digits[(exponent + 1)..];
        return $"{sign}{digits[..(exponent + 1)]}.{(fraction.Length > 0 ? fraction : "0")}";
    }

    private static void Append(StringBuilder text, JsonNode? value, bool ascii, int depth)
    {
        switch (value)
        {
            case null:
                text.Append("null");
                break;
            case JsonObject fields:
                AppendItems(text, '{', '}', depth, fields.OrderBy(field => field.Key, StringComparer.Ordinal), field =>
                {
                    AppendString(text, field.Key, ascii);
                    text.Append(": ");
                    Append(text, field.Value, ascii, depth + 1);
                });
                break;
            case JsonArray items:
                AppendItems(text, '[', ']', depth, items, item => Append(text, item, ascii, depth + 1));
                break;
            default:
                AppendPlain(text, value.AsValue(), ascii);
                break;
        }
    }

    private static void AppendItems<T>(
        StringBuilder text, char open, char close, int depth, IEnumerable<T> items, Action<T> append)
    {
        text.Append(open);
        bool any = false;
        foreach (T item in items)
        {
            text.Append(any ? ",\n" : "\n").Append(' ', 2 * (depth + 1));
            append(item);
            any = true;
        }

        if (any)
        {
            text.Append('\n').Append(' ', 2 * depth);
        }

        text.Append(close);
    }

    private static void AppendPlain(StringBuilder text, JsonValue value, bool ascii)
    {
        switch (value.GetValueKind())
        {
            case JsonValueKind.String:
                AppendString(text, value.GetValue<string>(), ascii);
                break;
            case JsonValueKind.Number:
                string number = value.ToJsonString();
                bool isFloat = number.AsSpan().IndexOfAny(".eE") >= 0 || IsFloat(value);
                text.Append(isFloat ? Number(double.Parse(number, CultureInfo.InvariantCulture)) : number);
                break;
            case JsonValueKind.True:
            case JsonValueKind.False:
                text.Append(value.GetValueKind() == JsonValueKind.True ? "true" : "false");
                break;
        }
    }

    // A double or float made in C# is a float to Python even where it is whole; a number read from JSON is what its
    // text says.
    private static bool IsFloat(JsonValue value) => !value.TryGetValue(out JsonElement _)
        && (value.TryGetValue(out double _) || value.TryGetValue(out float _)) && !value.TryGetValue(out int _);

    private static void AppendString(StringBuilder text, string value, bool ascii)
    {
        text.Append('"');
        foreach (char c in value)
        {
            _ = c switch
            {
                '"' or '\\' => text.Append('\\').Append(c),
                '\b' => text.Append("\\b"),
                '\t' => text.Append("\\t"),
                '\n' => text.Append("\\n"),
                '\f' => text.Append("\\f"),
                '\r' => text.Append("\\r"),
                < ' ' => text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                > '~' when ascii => text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => text.Append(c),
            };
        }

        text.Append('"');
    }
}
