using System.Text.Json;

namespace Tessera.Server.Wire;

/// <summary>
/// Reads an object of a request field by field: every error names the field, and fields nobody read are errors.
/// </summary>
internal readonly struct JsonObjectReader
{
    private readonly JsonElement _object;
    private readonly string _path;
    private readonly HashSet<string> _read = [];

    public JsonObjectReader(JsonElement element, string path)
    {
        (_object, _path) = (element, path);
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw path.Length == 0
                ? ApiError.NotJson($"it is {Describe(element)}.")
                : ApiError.WrongType(path, "an object", Describe(element));
        }
    }

    /// <summary>Returns a field's path, as in <c>messages[0].content</c>.</summary>
    public string PathOf(string name) => _path.Length == 0 ? name : $"{_path}.{name}";

    /// <summary>Returns a field; null where it is absent or null.</summary>
    public JsonElement? Any(string name)
    {
        _read.Add(name);
        return _object.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null
            ? value
            : null;
    }

    /// <summary>Returns a field that must be there.</summary>
    public JsonElement Required(string name) => Any(name) ?? throw ApiError.Missing(PathOf(name));

    public string? String(string name) => Any(name) is { } value ? AsString(value, PathOf(name)) : null;

    public bool? Boolean(string name) => Any(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { } value => throw ApiError.WrongType(PathOf(name), "a boolean", Describe(value)),
    };

    public double? Number(string name, double low, double high) => Any(name) is { } value
        ? AsNumber(value, PathOf(name), low, high)
        : null;

    public long? Integer(string name, long low, long high)
    {
        if (Any(name) is not { } value)
        {
            return null;
        }

        string path = PathOf(name);
        if (value.ValueKind != JsonValueKind.Number || !IsInteger(value, out long integer))
        {
            throw ApiError.WrongType(path, "an integer", Describe(value));
        }

        return integer >= low && integer <= high
            ? integer
            : throw ApiError.WrongValue(path, Range(low, high), value.GetRawText());
    }

    /// <summary>Notes fields that are understood and make no difference here.</summary>
    public void Ignore(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            _read.Add(name);
        }
    }

    /// <summary>Refuses the fields that weren't asked for.</summary>
    public void End()
    {
        foreach (JsonProperty field in _object.EnumerateObject())
        {
            if (!_read.Contains(field.Name))
            {
                throw ApiError.Unknown(PathOf(field.Name));
            }
        }
    }

    public static string AsString(JsonElement value, string path)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            throw ApiError.WrongType(path, "a string", Describe(value));
        }

        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw ApiError.WrongValue(path, "whole characters", "half a surrogate pair");
        }
    }

    public static double AsNumber(JsonElement value, string path, double low, double high)
    {
        if (value.ValueKind != JsonValueKind.Number)
        {
            throw ApiError.WrongType(path, "a number", Describe(value));
        }

        double number = value.GetDouble();
        return number >= low && number <= high
            ? number
            : throw ApiError.WrongValue(path, Range(low, high), value.GetRawText());
    }

    public static string Describe(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => IsInteger(value, out _) ? "an integer" : "a number",
        JsonValueKind.True or JsonValueKind.False => "a boolean",
        _ => "null",
    };

    // Some clients write whole numbers as 1.0.
    private static bool IsInteger(JsonElement value, out long integer)
    {
        if (value.TryGetInt64(out integer))
        {
            return true;
        }

        double number = value.GetDouble();
        integer = Math.Abs(number) < 1L << 53 ? (long)number : 0;
        return integer == number;
    }

    private static string Range(double low, double high) => high >= int.MaxValue
        ? $"a value of at least {low}"
        : $"a value from {low} to {high}";
}
