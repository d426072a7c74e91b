using System.Text.Json;
using System.Text.Json.Nodes;
using Tessera.Tensors.Files;

namespace Tessera.Models.Checkpoints;

/// <summary>
/// Reads the fields of a JSON object from outside; every error names the file, the field and its value.
/// </summary>
/// <remarks>A field that is null counts as absent, as it does where these files are written.</remarks>
internal sealed class JsonFields
{
    private const int MaximumDepth = 16;

    private readonly string _prefix;

    private JsonFields(string path, string prefix, JsonElement element)
    {
        Path = path;
        _prefix = prefix;
        Element = element;
    }

    public string Path { get; }

    public JsonElement Element { get; }

    /// <summary>Takes an object that was made here; errors name it <paramref name="path"/>.</summary>
    public static JsonFields Of(string path, JsonObject fields) =>
        new(path, "", JsonSerializer.SerializeToElement(fields));

    /// <summary>Reads a file that must hold one object.</summary>
    /// <exception cref="InvalidDataException">
    /// It is larger than <paramref name="limit"/> bytes, no JSON, or no object.
    /// </exception>
    public static JsonFields Read(string path, int limit = 1 << 20)
    {
        byte[] bytes = BoundedFile.Read(path, limit);
        JsonDocumentOptions options = new() { MaxDepth = MaximumDepth, AllowDuplicateProperties = false };
        JsonElement element;
        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes, options);
            element = document.RootElement.Clone();
            RequireText(element);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // The second is how text that is not UTF-8, or an escaped half of a surrogate pair, shows itself.
            throw new InvalidDataException($"{path}: not valid JSON: {broken.Message}", broken);
        }

        return element.ValueKind == JsonValueKind.Object
            ? new JsonFields(path, "", element)
            : throw new InvalidDataException($"{path}: is {Show(element)}, an object is wanted");
    }

    public int Int(string name, int least, int most) =>
        OptionalInt(name, least, most) ?? throw Absent(name, "a whole number");

    public int? OptionalInt(string name, int least, int most)
    {
        if (Find(name) is not { } value)
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number)
            && number >= least && number <= most
            ? number
            : throw Wrong(name, value, $"a whole number from {least} to {most}");
    }

    public double Double(string name, double otherwise, double least, double most) =>
        OptionalDouble(name, least, most) ?? otherwise;

    public double? OptionalDouble(string name, double least, double most)
    {
        if (Find(name) is not { } value)
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number)
            && number >= least && number <= most
            ? number
            : throw Wrong(name, value, $"a number from {least} to {most}");
    }

    public bool Bool(string name, bool otherwise) => OptionalBool(name) ?? otherwise;

    public bool? OptionalBool(string name)
    {
        return Find(name) is not { } value ? null
            : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean()
            : throw Wrong(name, value, "true or false");
    }

    public string String(string name) => OptionalString(name) ?? throw Absent(name, "a string");

    public string? OptionalString(string name)
    {
        return Find(name) is not { } value ? null
            : value.ValueKind == JsonValueKind.String ? value.GetString()
            : throw Wrong(name, value, "a string");
    }

    public JsonFields? Object(string name)
    {
        return Find(name) is not { } value ? null
            : value.ValueKind == JsonValueKind.Object ? new JsonFields(Path, $"{_prefix}{name}.", value)
            : throw Wrong(name, value, "an object");
    }

    /// <summary>Reads a list of objects; empty where the field is absent.</summary>
    public IReadOnlyList<JsonFields> Objects(string name)
    {
        if (Find(name) is not { } value)
        {
            return [];
        }

        bool objects = value.ValueKind == JsonValueKind.Array
            && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.Object);
        return objects
            ? [.. value.EnumerateArray().Select(item => new JsonFields(Path, $"{_prefix}{name}[].", item))]
            : throw Wrong(name, value, "a list of objects");
    }

    /// <summary>Reads token ids, which are written as one number, as a list, or as null for none.</summary>
    public IReadOnlyList<int> Ids(string name)
    {
        if (Find(name) is not { } value)
        {
            return [];
        }

        List<int> ids = [];
        if (value.ValueKind != JsonValueKind.Array)
        {
            ids.Add(Id(value));
            return ids;
        }

        foreach (JsonElement item in value.EnumerateArray())
        {
            ids.Add(Id(item));
        }

        return ids;

        int Id(JsonElement item) => item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out int id) && id >= 0
            ? id
            : throw Wrong(name, value, "a token's id, a list of ids, or null");
    }

    /// <summary>Reads a list of strings; null where the field is absent.</summary>
    public IReadOnlyList<string>? Strings(string name)
    {
        if (Find(name) is not { } value)
        {
            return null;
        }

        bool strings = value.ValueKind == JsonValueKind.Array
            && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String);
        return strings
            ? [.. value.EnumerateArray().Select(item => item.GetString()!)]
            : throw Wrong(name, value, "a list of strings");
    }

    /// <summary>Makes the error for a value that is of no use.</summary>
    public InvalidDataException Wrong(string name, string wanted) => Find(name) is { } value
        ? Wrong(name, value, wanted)
        : Absent(name, wanted);

    private JsonElement? Find(string name) =>
        Element.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private InvalidDataException Absent(string name, string wanted) =>
        new($"{Path}: {_prefix}{name} is absent; {wanted} is wanted");

    private InvalidDataException Wrong(string name, JsonElement value, string wanted) =>
        new($"{Path}: {_prefix}{name} is {Show(value)}; {wanted} is wanted");

    /// <summary>
    /// Reads every name and string once, so that those which are no text are found here and not later.
    /// </summary>
    private static void RequireText(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                _ = value.GetString();
                break;
            case JsonValueKind.Array:
                foreach (JsonElement item in value.EnumerateArray())
                {
                    RequireText(item);
                }

                break;
            case JsonValueKind.Object:
                foreach (JsonProperty field in value.EnumerateObject())
                {
                    _ = field.Name;
                    RequireText(field.Value);
                }

                break;
        }
    }

    private static string Show(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => HostileText.Quote(value.GetString()),
        JsonValueKind.Number => HostileText.Plain(value.GetRawText()),
        JsonValueKind.Null => "null",
        _ => value.GetRawText(),
    };
}
