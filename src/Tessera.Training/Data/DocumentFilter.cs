using System.Text;
using System.Text.Json;

namespace Tessera.Training.Data;

/// <summary>
/// Takes those lines of JSON whose fields have certain values: <c>task=story</c> and <c>task=chat</c> take both kinds,
/// and with <c>language=en</c> beside them only what is in English too.
/// </summary>
public sealed class DocumentFilter : IEquatable<DocumentFilter>
{
    private readonly (byte[] Name, string[] Values)[] _fields;
    private readonly string _text;

    private DocumentFilter((byte[], string[])[] fields, string text) => (_fields, _text) = (fields, text);

    /// <summary>Gets the number of fields that a document must have.</summary>
    internal int Fields => _fields.Length;

    /// <summary>Makes a filter; null where nothing is asked for.</summary>
    /// <param name="conditions">Each of the form <c>field=value</c>.</param>
    /// <exception cref="ArgumentException">A condition has another form.</exception>
    public static DocumentFilter? Of(IReadOnlyCollection<string> conditions)
    {
        List<(string Field, string Value)> parsed = [];
        foreach (string condition in conditions)
        {
            int equals = condition.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                throw new ArgumentException($"only is \"{condition}\"; it must be field=value, such as task=story");
            }

            parsed.Add((condition[..equals], condition[(equals + 1)..]));
        }

        (byte[], string[])[] fields = [.. parsed.GroupBy(p => p.Field).Select(
            g => (Encoding.UTF8.GetBytes(g.Key), g.Select(p => p.Value).ToArray()))];
        return fields.Length == 0 ? null : new(fields, string.Join(", ", conditions.Order(StringComparer.Ordinal)));
    }

    /// <summary>Returns the conditions in one fixed order.</summary>
    public override string ToString() => _text;

    /// <inheritdoc/>
    public bool Equals(DocumentFilter? other) => other?._text == _text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as DocumentFilter);

    /// <inheritdoc/>
    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);

    /// <summary>Returns which field the reader stands at the name of; -1 where it isn't asked for.</summary>
    internal int FieldAt(ref Utf8JsonReader reader)
    {
        for (int i = 0; i < _fields.Length; i++)
        {
            if (reader.ValueTextEquals(_fields[i].Name))
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>Returns whether the reader stands at one of the values that are taken of this field.</summary>
    internal bool TakesValue(int field, ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            foreach (string value in _fields[field].Values)
            {
                if (reader.ValueTextEquals(value))
                {
                    return true;
                }
            }
        }

        return false;
    }
}
