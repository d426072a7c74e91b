using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;
using Tessera.Inference.Sampling;

namespace Tessera.Server.Wire;

/// <summary>
/// Reads the body of POST /v1/chat/completions: OpenAI's fields, and top_k, min_p and repetition_penalty beside them.
/// </summary>
internal static class ChatRequestReader
{
    private const int MaxStops = 4;
    private const int MaxTopLogprobs = 20;

    /// <summary>Reads a body; every refusal is an <see cref="ApiError"/> that names the field.</summary>
    /// <param name="body">UTF-8 JSON.</param>
    /// <param name="defaults">The options of fields that are absent or null.</param>
    /// <param name="vocabularySize">How many tokens logit_bias may name.</param>
    /// <param name="maxChoices">The largest n.</param>
    public static ChatRequest Read(
        ReadOnlyMemory<byte> body, SamplingOptions defaults, int vocabularySize, int maxChoices)
    {
        try
        {
            using JsonDocument document = Parse(body);
            return Read(new JsonObjectReader(document.RootElement, ""), defaults, vocabularySize, maxChoices);
        }
        catch (InvalidOperationException)
        {
            // The name of a field can't be read; what is wrong in a value is caught where it is read.
            throw ApiError.NotJson("the name of a field has half a surrogate pair.");
        }
    }

    private static ChatRequest Read(
        JsonObjectReader reader, SamplingOptions defaults, int vocabularySize, int maxChoices)
    {
        RefuseWhatIsNotOffered(reader);
        (bool stream, bool includeUsage) = ReadStream(reader);
        long? seed = reader.Integer("seed", long.MinValue, long.MaxValue);
        ChatRequest request = new()
        {
            Model = JsonObjectReader.AsString(reader.Required("model"), "model"),
            Messages = MessagesReader.Read(reader.Required("messages")),
            Sampling = ReadSampling(reader, defaults, vocabularySize) with { Seed = (ulong)(seed ?? 0) },
            HasSeed = seed is not null,
            MaxTokens = ReadMaxTokens(reader),
            Stop = ReadStop(reader),
            Choices = (int)(reader.Integer("n", 1, maxChoices) ?? 1),
            TopLogprobs = ReadLogprobs(reader),
            Stream = stream,
            IncludeUsage = includeUsage,
        };

        // Understood, and of no effect on the answers of a model that runs here.
        reader.Ignore(
            "user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key",
            "prompt_cache_retention", "prompt_cache_options", "prediction", "reasoning_effort", "verbosity",
            "parallel_tool_calls", "moderation");
        reader.End();
        return request;
    }

    private static JsonDocument Parse(ReadOnlyMemory<byte> body)
    {
        if (!Utf8.IsValid(body.Span))
        {
            throw ApiError.NotJson("it is not UTF-8.");
        }

        try
        {
            JsonDocumentOptions options = new() { MaxDepth = 64, AllowDuplicateProperties = false };
            return JsonDocument.Parse(body, options);
        }
        catch (JsonException error)
        {
            throw ApiError.NotJson(error.Message);
        }
    }

    private static SamplingOptions ReadSampling(JsonObjectReader reader, SamplingOptions defaults, int vocabularySize)
    {
        long? topK = reader.Integer("top_k", 0, int.MaxValue);
        return defaults with
        {
            Temperature = reader.Number("temperature", 0, 2) ?? defaults.Temperature,
            TopP = reader.Number("top_p", 0, 1) ?? defaults.TopP,

            // Other servers' clients send 0 for no limit.
            TopK = topK is null ? defaults.TopK : topK is 0 ? null : (int)topK,
            MinP = reader.Number("min_p", 0, 1) ?? defaults.MinP,
            PresencePenalty = reader.Number("presence_penalty", -2, 2) ?? defaults.PresencePenalty,
            FrequencyPenalty = reader.Number("frequency_penalty", -2, 2) ?? defaults.FrequencyPenalty,
            RepetitionPenalty = reader.Number("repetition_penalty", 0.01, 10) ?? defaults.RepetitionPenalty,
            LogitBias = ReadLogitBias(reader, vocabularySize) ?? defaults.LogitBias,
        };
    }

    private static Dictionary<int, float>? ReadLogitBias(JsonObjectReader reader, int vocabularySize)
    {
        if (reader.Any("logit_bias") is not { } map)
        {
            return null;
        }

        if (map.ValueKind != JsonValueKind.Object)
        {
            throw ApiError.WrongType("logit_bias", "an object", JsonObjectReader.Describe(map));
        }

        Dictionary<int, float> biases = [];
        foreach (JsonProperty entry in map.EnumerateObject())
        {
            bool isId = int.TryParse(entry.Name, NumberStyles.None, CultureInfo.InvariantCulture, out int token);
            if (!isId || token >= vocabularySize)
            {
                throw ApiError.WrongValue(
                    "logit_bias", $"token ids from 0 to {vocabularySize - 1} as names", $"'{entry.Name}'");
            }

            biases[token] = (float)JsonObjectReader.AsNumber(entry.Value, $"logit_bias.{entry.Name}", -100, 100);
        }

        return biases;
    }

    private static int? ReadMaxTokens(JsonObjectReader reader)
    {
        long? older = reader.Integer("max_tokens", 1, int.MaxValue);
        long? newer = reader.Integer("max_completion_tokens", 1, int.MaxValue);
        if (older is not null && newer is not null)
        {
            throw ApiError.Invalid(
                "max_tokens", "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
                "invalid_parameter_combination");
        }

        return (int?)(newer ?? older);
    }

    private static string[] ReadStop(JsonObjectReader reader)
    {
        if (reader.Any("stop") is not { } value)
        {
            return [];
        }

        if (value.ValueKind == JsonValueKind.String)
        {
            return [NotEmpty(value, "stop")];
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            throw ApiError.WrongType("stop", "a string or an array of strings", JsonObjectReader.Describe(value));
        }

        int count = value.GetArrayLength();
        return count is >= 1 and <= MaxStops
            ? [.. value.EnumerateArray().Select((stop, i) => NotEmpty(stop, $"stop[{i}]"))]
            : throw ApiError.WrongValue("stop", $"from 1 to {MaxStops} strings", $"{count}");
    }

    private static string NotEmpty(JsonElement value, string path) =>
        JsonObjectReader.AsString(value, path) is { Length: > 0 } text
            ? text
            : throw ApiError.WrongValue(path, "at least one character", "an empty string");

    private static int? ReadLogprobs(JsonObjectReader reader)
    {
        bool logprobs = reader.Boolean("logprobs") ?? false;
        long? top = reader.Integer("top_logprobs", 0, MaxTopLogprobs);
        if (top is not null && !logprobs)
        {
            throw ApiError.Invalid("top_logprobs", "'top_logprobs' is only allowed when 'logprobs' is true.");
        }

        return logprobs ? (int)(top ?? 0) : null;
    }

    private static (bool Stream, bool IncludeUsage) ReadStream(JsonObjectReader reader)
    {
        bool stream = reader.Boolean("stream") ?? false;
        if (reader.Any("stream_options") is not { } options)
        {
            return (stream, false);
        }

        if (!stream)
        {
            throw ApiError.Invalid("stream_options", "'stream_options' is only allowed when 'stream' is true.");
        }

        JsonObjectReader fields = new(options, "stream_options");
        bool includeUsage = fields.Boolean("include_usage") ?? false;
        fields.Boolean("include_obfuscation");
        fields.End();
        return (stream, includeUsage);
    }

    private static bool IsOneOf(JsonElement value, params ReadOnlySpan<string> texts)
    {
        foreach (string text in texts)
        {
            if (value.ValueKind == JsonValueKind.String && value.ValueEquals(text))
            {
                return true;
            }
        }

        return false;
    }

    private static void RefuseWhatIsNotOffered(JsonObjectReader reader)
    {
        foreach (string field in (ReadOnlySpan<string>)["tools", "functions"])
        {
            if (reader.Any(field) is { } list && !(list.ValueKind == JsonValueKind.Array && list.GetArrayLength() == 0))
            {
                throw ApiError.NotOffered(field, "function calls");
            }
        }

        foreach (string field in (ReadOnlySpan<string>)["tool_choice", "function_call"])
        {
            if (reader.Any(field) is { } choice && !IsOneOf(choice, "none", "auto"))
            {
                throw ApiError.NotOffered(field, "a function call");
            }
        }

        foreach (string field in (ReadOnlySpan<string>)["audio", "web_search_options"])
        {
            if (reader.Any(field) is not null)
            {
                throw ApiError.NotOffered(field, field == "audio" ? "speech" : "a search of the web");
            }
        }

        if (reader.Any("modalities") is { } modalities
            && (modalities.ValueKind != JsonValueKind.Array
                || !modalities.EnumerateArray().All(modality => IsOneOf(modality, "text"))))
        {
            throw ApiError.NotOffered("modalities", "something else than text");
        }

        if (reader.Any("response_format") is { } format)
        {
            JsonObjectReader fields = new(format, "response_format");
            if (JsonObjectReader.AsString(fields.Required("type"), "response_format.type") is not "text")
            {
                throw ApiError.NotOffered("response_format.type", "an answer in JSON");
            }
        }
    }
}
