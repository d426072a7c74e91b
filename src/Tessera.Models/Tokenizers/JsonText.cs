using System.Text;
using System.Text.Json;

namespace Tessera.Models.Tokenizers;

/// <summary>
/// Writes JSON as Rust's serde_json does, which <c>tokenizers</c> uses: compact or indented by two, only what must be
/// is escaped.
/// </summary>
internal sealed class JsonText(StringBuilder output, bool indented)
{
    private int _depth;
    private bool _isFirst = true;

    /// <summary>Returns JSON without white space, strings as serde_json escapes them.</summary>
    public static string Compact(ReadOnlySpan<byte> json)
    {
        StringBuilder output = new();
        new JsonText(output, indented: false).Copy(json);
        return output.ToString();
    }

    /// <summary>Begins an object or an array.</summary>
    public void Begin(char bracket)
    {
        output.Append(bracket);
        _depth++;
        _isFirst = true;
    }

    /// <summary>Ends an object or an array.</summary>
    public void End(char bracket)
    {
        _depth--;
        if (!_isFirst)
        {
            NewLine();
        }

        output.Append(bracket);
        _isFirst = false;
    }

    /// <summary>Begins an element of an array.</summary>
    public void Element()
    {
        if (!_isFirst)
        {
            output.Append(',');
        }

        _isFirst = false;
        NewLine();
    }

    /// <summary>Begins a field of an object.</summary>
    public void Name(string name)
    {
        Element();
        Text(name);
        output.Append(indented ? ": " : ":");
    }

    /// <summary>Writes a string or null.</summary>
    public void Text(string? text)
    {
        if (text is null)
        {
            output.Append("null");
            return;
        }

        output.Append('"');
        foreach (char character in text)
        {
            Append(character);
        }

        output.Append('"');
    }

    /// <summary>Writes a number.</summary>
    public void Number(int value) => output.Append(value);

    /// <summary>Writes true or false.</summary>
    public void Flag(bool value) => output.Append(value ? "true" : "false");

    /// <summary>Writes a JSON text again in this form; its fields keep their order.</summary>
    public void Copy(ReadOnlySpan<byte> json)
    {
        Utf8JsonReader reader = new(json);
        bool afterName = false;
        while (reader.Read())
        {
            bool ends = reader.TokenType is JsonTokenType.EndArray or JsonTokenType.EndObject;
            if (!afterName && !ends && reader.TokenType != JsonTokenType.PropertyName && reader.CurrentDepth > 0)
            {
                Element();
            }

            afterName = reader.TokenType == JsonTokenType.PropertyName;
            Token(ref reader);
        }
    }

    private void Token(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                Begin('{');
                break;
            case JsonTokenType.StartArray:
                Begin('[');
                break;
            case JsonTokenType.EndObject:
                End('}');
                break;
            case JsonTokenType.EndArray:
                End(']');
                break;
            case JsonTokenType.PropertyName:
                Name(reader.GetString()!);
                break;
            case JsonTokenType.String:
                Text(reader.GetString());
                break;
            default:
                output.Append(Encoding.UTF8.GetString(reader.ValueSpan));
                break;
        }
    }

    private void NewLine()
    {
        if (indented)
        {
            output.Append('\n').Append(' ', 2 * _depth);
        }
    }

    private void Append(char character)
    {
        switch (character)
        {
            case '"' or '\\':
                output.Append('\\').Append(character);
                break;
            case '\b':
                output.Append("\\b");
                break;
            case '\f':
                output.Append("\\f");
                break;
            case '\n':
                output.Append("\\n");
                break;
            case '\r':
                output.Append("\\r");
                break;
            case '\t':
                output.Append("\\t");
                break;
            case < ' ':
                output.Append($"\\u{(int)character:x4}");
                break;
            default:
                output.Append(character);
                break;
        }
    }
}
