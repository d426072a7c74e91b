using System.Text.Json;
using Tessera.Models.ChatTemplates;

namespace Tessera.Training.Data;

/// <summary>
/// Takes a document out of one line of JSON: its text, or its messages, and what it says of source and licence.
/// </summary>
internal sealed class JsonLine(DocumentFilter? filter)
{
    private static readonly string[] _roles = ["system", "user", "assistant"];
    private byte[] _text = [];
    private int _textLength;
    private readonly bool[] _taken = new bool[filter?.Fields ?? 0];

    /// <summary>Gets whether the filter takes the last document that was read.</summary>
    public bool IsTaken => !_taken.Contains(false);

    /// <summary>Reads the line into the document; returns what is wrong with it, or null.</summary>
    public string? Read(ReadOnlySpan<byte> line, Document document)
    {
        _textLength = -1;
        Array.Clear(_taken);
        List<ChatTurn>? turns = null;
        (document.Source, document.Licence, document.Continues) = (null, null, false);
        try
        {
            Utf8JsonReader reader = new(line);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return "not a JSON object";
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                string? wrong = ReadField(ref reader, document, ref turns);
                if (wrong is not null)
                {
                    return wrong;
                }
            }

            reader.Read();
        }
        catch (JsonException e)
        {
            return $"invalid JSON at byte {e.BytePositionInLine + 1}";
        }
        catch (InvalidOperationException)
        {
            // The reader's word for an escaped half of a surrogate pair.
            return "invalid JSON: a string holds half of a surrogate pair";
        }

        document.Turns = turns ?? [];
        document.Text = turns is null && _textLength >= 0 ? _text.AsMemory(0, _textLength) : default;
        return turns is null && _textLength < 0 ? "no field \"text\" or \"messages\"" : null;
    }

    private static bool Is(string? wanted, ref Utf8JsonReader reader) => reader.ValueTextEquals(wanted);

    private static string? Optional(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            return reader.GetString();
        }

        reader.Skip();
        return null;
    }

    private static string? ReadTurns(ref Utf8JsonReader reader, out List<ChatTurn>? turns)
    {
        turns = [];
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return "\"messages\" is not a list";
        }

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                return $"message {turns.Count + 1} is not an object";
            }

            string? role = null, content = null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                bool isRole = Is("role", ref reader), isContent = Is("content", ref reader);
                reader.Read();
                string? value = Optional(ref reader);
                role = isRole ? value : role;
                content = isContent ? value : content;
            }

            if (role is null || content is null)
            {
                return $"message {turns.Count + 1} has no \"{(role is null ? "role" : "content")}\" that is a string";
            }

            if (!_roles.Contains(role))
            {
                string wanted = string.Join(", ", _roles);
                return $"message {turns.Count + 1} has the role \"{Shorten(role)}\"; wanted {wanted}";
            }

            if (content.Contains('\0'))
            {
                return $"message {turns.Count + 1} holds a NUL";
            }

            turns.Add(new ChatTurn(role, content));
        }

        return turns.Count == 0 ? "\"messages\" is empty" : null;
    }

    private static string Shorten(string value) => value.Length <= 20 ? value : value[..20] + "…";

    private string? ReadField(ref Utf8JsonReader reader, Document document, ref List<ChatTurn>? turns)
    {
        bool text = Is("text", ref reader), messages = Is("messages", ref reader);
        int asked = filter?.FieldAt(ref reader) ?? -1;
        bool source = Is("source", ref reader), licence = Is("licence", ref reader) || Is("license", ref reader);
        reader.Read();
        if (asked >= 0)
        {
            _taken[asked] = filter!.TakesValue(asked, ref reader);
        }

        if (text)
        {
            return ReadText(ref reader);
        }

        if (messages)
        {
            return ReadTurns(ref reader, out turns);
        }

        string? value = null;
        if (source || licence)
        {
            value = Optional(ref reader);
        }
        else
        {
            reader.Skip();
        }

        document.Source = source ? value : document.Source;
        document.Licence = licence ? value : document.Licence;
        return null;
    }

    private string? ReadText(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            return "\"text\" is not a string";
        }

        long length = reader.HasValueSequence ? reader.ValueSequence.Length : reader.ValueSpan.Length;
        if (_text.Length < length)
        {
            _text = new byte[Math.Max(length, Math.Min(2L * _text.Length, int.MaxValue))];
        }

        _textLength = reader.CopyString(_text);
        return _text.AsSpan(0, _textLength).Contains((byte)0) ? "\"text\" holds a NUL" : null;
    }
}
