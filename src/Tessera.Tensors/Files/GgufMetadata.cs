namespace Tessera.Tensors.Files;

/// <summary>
/// Gives the values that a GGUF file states about its model, by key. Lists stay in the file until they are asked for.
/// Errors name the file, the key and what is there.
/// </summary>
public sealed class GgufMetadata
{
    private readonly MappedFile _file;
    private readonly Dictionary<string, object> _values = new(StringComparer.Ordinal);

    internal GgufMetadata(MappedFile file, GgufReader reader, int count)
    {
        _file = file;
        for (int i = 0; i < count; i++)
        {
            string key = reader.Text($"key {i}", GgufReader.LongestName);
            string field = Shown(key);
            if (!_values.TryAdd(key, Read(reader, field)))
            {
                throw reader.Wrong(field, "is there twice");
            }
        }
    }

    /// <summary>Gets the keys, in the file's order.</summary>
    public IReadOnlyCollection<string> Keys => _values.Keys;

    /// <summary>Returns whether the file has a key.</summary>
    public bool Contains(string key) => _values.ContainsKey(key);

    /// <summary>Returns a text.</summary>
    /// <exception cref="InvalidDataException">The key is absent, or something else.</exception>
    public string Text(string key) => OptionalText(key) ?? throw Absent(key, "a text");

    /// <summary>Returns a text, or null where the key is absent.</summary>
    /// <exception cref="InvalidDataException">It is something else.</exception>
    public string? OptionalText(string key) =>
        Find(key) is not { } value ? null : value as string ?? throw Wrong(key, value, "a text");

    /// <summary>Returns a whole number within bounds.</summary>
    /// <exception cref="InvalidDataException">The key is absent, something else, or out of bounds.</exception>
    public int Int(string key, int least, int most) =>
        OptionalInt(key, least, most) ?? throw Absent(key, "a whole number");

    /// <summary>Returns a whole number within bounds, or null where the key is absent.</summary>
    /// <exception cref="InvalidDataException">It is something else, or out of bounds.</exception>
    public int? OptionalInt(string key, int least, int most) => Find(key) is not { } value ? null
        : value is long number && number >= least && number <= most ? (int)number
        : throw Wrong(key, value, $"a whole number from {least} to {most}");

    /// <summary>Returns a finite number, or null where the key is absent.</summary>
    /// <exception cref="InvalidDataException">It is something else, infinite or none.</exception>
    public double? OptionalDouble(string key) => Find(key) is not { } value ? null
        : value is double number && double.IsFinite(number) ? number
        : value is long whole ? whole
        : throw Wrong(key, value, "a finite number");

    /// <summary>Returns true or false, or null where the key is absent.</summary>
    /// <exception cref="InvalidDataException">It is something else.</exception>
    public bool? OptionalBool(string key) => Find(key) is not { } value ? null
        : value is bool flag ? flag
        : throw Wrong(key, value, "true or false");

    /// <summary>Returns a list of texts, or null where the key is absent.</summary>
    /// <exception cref="InvalidDataException">It is something else, or a text is not UTF-8.</exception>
    public string[]? OptionalTexts(string key)
    {
        if (Find(key) is not { } value)
        {
            return null;
        }

        if (value is not ListPlace { Kind: GgufKind.Text } place)
        {
            throw Wrong(key, value, "a list of texts");
        }

        GgufReader reader = new(_file) { Position = place.Position };
        string[] texts = new string[place.Count];
        for (int i = 0; i < texts.Length; i++)
        {
            texts[i] = reader.Text($"{Shown(key)}[{i}]");
        }

        return texts;
    }

    /// <summary>
    /// Returns a list of whole numbers, or null where the key is absent; one number is a list of one.
    /// </summary>
    /// <exception cref="InvalidDataException">It is something else, or a number is out of bounds.</exception>
    public int[]? OptionalInts(string key, int least, int most) => OptionalNumbers(
        key,
        "whole numbers",
        (object value, out int number) =>
        {
            number = value is long whole && whole >= least && whole <= most ? (int)whole : 0;
            return value is long inside && inside >= least && inside <= most;
        });

    /// <summary>Returns a list of numbers, or null where the key is absent; one number is a list of one.</summary>
    /// <exception cref="InvalidDataException">It is something else, or a number is infinite or none.</exception>
    public float[]? OptionalSingles(string key) => OptionalNumbers(
        key,
        "finite numbers",
        (object value, out float number) =>
        {
            number = value switch { double real => (float)real, long whole => whole, _ => float.NaN };
            return float.IsFinite(number);
        });

    /// <summary>Makes the error for a value that is of no use; it names the file, the key and what is there.</summary>
    /// <param name="key">The key.</param>
    /// <param name="wanted">What would be of use.</param>
    public InvalidDataException Wrong(string key, string wanted) =>
        Find(key) is { } value ? Wrong(key, value, wanted) : Absent(key, wanted);

    private T[]? OptionalNumbers<T>(string key, string wanted, Taking<T> take)
    {
        if (Find(key) is not { } value)
        {
            return null;
        }

        if (value is not ListPlace place)
        {
            return take(value, out T single) ? [single] : throw Wrong(key, value, $"a list of {wanted}");
        }

        if (GgufReader.Size(place.Kind) is null)
        {
            throw Wrong(key, value, $"a list of {wanted}");
        }

        GgufReader reader = new(_file) { Position = place.Position };
        T[] numbers = new T[place.Count];
        for (int i = 0; i < numbers.Length; i++)
        {
            object number = reader.Number($"{Shown(key)}[{i}]", place.Kind);
            numbers[i] = take(number, out T taken) ? taken : throw Wrong($"{key}[{i}]", number, wanted);
        }

        return numbers;
    }

    // A list's elements are walked over once, so that all of it is known to lie in the file.
    private static object Read(GgufReader reader, string field)
    {
        GgufKind kind = (GgufKind)reader.U32(field);
        switch (kind)
        {
            case GgufKind.Text:
                return reader.Text(field);
            case GgufKind.List:
                GgufKind elements = (GgufKind)reader.U32(field);
                int least = elements == GgufKind.Text ? sizeof(ulong) : GgufReader.Size(elements)
                    ?? throw reader.Wrong(field, $"is a list of kind {(uint)elements}; numbers and texts are read");
                long count = reader.Count(field, Math.Min(Array.MaxLength, Math.Max(0, reader.Left - 8) / least));
                ListPlace place = new(elements, (int)count, reader.Position);
                for (long i = 0; elements == GgufKind.Text && i < count; i++)
                {
                    reader.TextBytes(field);
                }

                reader.Position += elements == GgufKind.Text ? 0 : count * least;
                return place;
            default:
                return GgufReader.Size(kind) is not null
                    ? reader.Number(field, kind)
                    : throw reader.Wrong(field, $"is of kind {(uint)kind}; 0 to 12 are known");
        }
    }

    private object? Find(string key) => _values.GetValueOrDefault(key);

    private InvalidDataException Absent(string key, string wanted) =>
        new($"{_file.Path}: {Shown(key)} is absent; {wanted} is wanted");

    private InvalidDataException Wrong(string key, object value, string wanted) => new(
        $"{_file.Path}: {Shown(key)} is {Show(value)}; {wanted} is wanted");

    private static string Shown(string key) => HostileText.Plain(key);

    private static string Show(object value) => value switch
    {
        string text => HostileText.Quote(text),
        ListPlace list => $"a list of {list.Count} of kind {list.Kind}",
        _ => FormattableString.Invariant($"{value}"),
    };

    private delegate bool Taking<T>(object value, out T taken);

    private sealed record ListPlace(GgufKind Kind, int Count, long Position);
}
