using System.Text;
using System.Text.Json;
using Tessera.Models.ChatTemplates;

namespace Tessera.Server.Wire;

/// <summary>Reads the messages of a conversation.</summary>
internal static class MessagesReader
{
    public static IReadOnlyList<ChatTurn> Read(JsonElement messages)
    {
        if (messages.ValueKind != JsonValueKind.Array)
        {
            throw ApiError.WrongType("messages", "an array of objects", JsonObjectReader.Describe(messages));
        }

        if (messages.GetArrayLength() == 0)
        {
            throw ApiError.WrongValue("messages", "at least one message", "an empty array");
        }

        return [.. messages.EnumerateArray().Select((message, i) => ReadMessage(message, $"messages[{i}]"))];
    }

    private static ChatTurn ReadMessage(JsonElement message, string path)
    {
        JsonObjectReader reader = new(message, path);
        string role = JsonObjectReader.AsString(reader.Required("role"), reader.PathOf("role"));
        reader.String("name");
        string content = role switch
        {
            "system" or "developer" or "user" => ReadContent(reader.Required("content"), reader.PathOf("content")),
            "assistant" => ReadAssistant(reader),
            "tool" or "function" => throw ApiError.NotOffered(reader.PathOf("role"), "function calls"),
            _ => throw ApiError.WrongValue(
                reader.PathOf("role"), "one of 'system', 'developer', 'user' and 'assistant'", $"'{role}'"),
        };
        reader.End();

        // What newer clients call developer is what templates know as system.
        return new ChatTurn(role == "developer" ? "system" : role, content);
    }

    private static string ReadAssistant(JsonObjectReader reader)
    {
        foreach (string field in (ReadOnlySpan<string>)["tool_calls", "function_call", "audio"])
        {
            if (reader.Any(field) is not null)
            {
                throw ApiError.NotOffered(reader.PathOf(field), field == "audio" ? "speech" : "function calls");
            }
        }

        // What a client sends back from an answer of ours: refusal is null, annotations are empty.
        string? refusal = reader.String("refusal");
        reader.Ignore("annotations");
        return reader.Any("content") is { } content
            ? ReadContent(content, reader.PathOf("content"))
            : refusal ?? throw ApiError.Missing(reader.PathOf("content"));
    }

    private static string ReadContent(JsonElement content, string path)
    {
        if (content.ValueKind == JsonValueKind.String)
        {
            return JsonObjectReader.AsString(content, path);
        }

        if (content.ValueKind != JsonValueKind.Array)
        {
            throw ApiError.WrongType(path, "a string or an array of objects", JsonObjectReader.Describe(content));
        }

        if (content.GetArrayLength() == 0)
        {
            throw ApiError.WrongValue(path, "at least one part", "an empty array");
        }

        StringBuilder text = new();
        foreach ((int i, JsonElement part) in content.EnumerateArray().Index())
        {
            text.Append(ReadPart(new JsonObjectReader(part, $"{path}[{i}]")));
        }

        return text.ToString();
    }

    private static string ReadPart(JsonObjectReader part)
    {
        string type = JsonObjectReader.AsString(part.Required("type"), part.PathOf("type"));
        if (type is not ("text" or "refusal"))
        {
            throw type is "image_url" or "input_audio" or "file"
                ? ApiError.NotOffered(part.PathOf("type"), $"'{type}' in a message")
                : ApiError.WrongValue(part.PathOf("type"), "'text'", $"'{type}'");
        }

        string text = JsonObjectReader.AsString(part.Required(type), part.PathOf(type));
        part.Ignore("prompt_cache_breakpoint");
        part.End();
        return text;
    }
}
