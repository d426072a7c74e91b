using System.Text.Json;

namespace Tessera.Models.ChatTemplates;

/// <summary>Holds what a chat template is rendered with.</summary>
public sealed record ChatTemplateInputs
{
    /// <summary>Gets the messages: an array of objects with role and content, as OpenAI's API has them.</summary>
    public required JsonElement Messages { get; init; }

    /// <summary>Gets whether the text ends with the begin of an answer.</summary>
    public bool AddGenerationPrompt { get; init; } = true;

    /// <summary>Gets the tools that the model may call, an array of objects, or null.</summary>
    public JsonElement? Tools { get; init; }

    /// <summary>Gets the time for templates that write the date; without it, they find no clock.</summary>
    public DateTime? Now { get; init; }

    /// <summary>Gets further variables, such as <c>enable_thinking</c>; texts in them are data.</summary>
    public IReadOnlyDictionary<string, JsonElement> Variables { get; init; } = new Dictionary<string, JsonElement>();

    /// <summary>Gets what rendering may cost.</summary>
    public ChatTemplateLimits Limits { get; init; } = new();
}
