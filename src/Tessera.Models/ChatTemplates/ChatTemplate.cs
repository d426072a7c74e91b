using System.Text.Json;

namespace Tessera.Models.ChatTemplates;

/// <summary>
/// Renders conversations by a chat template: the part of Jinja that real templates use, with the settings that they are
/// written for. The rendered text says of each part whether the template wrote it or it is data, so that a marker in a
/// message stays text.
/// </summary>
public sealed class ChatTemplate
{
    // The longest known template has 20 kB.
    private const int LongestSource = 1 << 20;

    private readonly string _name;
    private readonly List<Statement> _statements;

    private ChatTemplate(string name, string source)
    {
        _name = name;
        Source = source;
        _statements = TemplateParser.Parse(name, source);
    }

    /// <summary>Gets the template's text.</summary>
    public string Source { get; }

    /// <summary>Gets the token that texts begin with, or null; it counts as the template's own.</summary>
    public string? BeginToken { get; private init; }

    /// <summary>Gets the token that texts end with, or null; it counts as the template's own.</summary>
    public string? EndToken { get; private init; }

    /// <summary>Parses a template; what is wrong or not supported is an error with its line.</summary>
    /// <param name="source">The template's text.</param>
    /// <param name="name">What errors call it, such as its file.</param>
    /// <param name="beginToken">The tokenizer's token that texts begin with: <c>bos_token</c> in templates.</param>
    /// <param name="endToken">The tokenizer's token that texts end with: <c>eos_token</c> in templates.</param>
    /// <exception cref="ChatTemplateException">The template is broken or has what is not supported.</exception>
    public static ChatTemplate Parse(
        string source, string name = "chat template", string? beginToken = null, string? endToken = null) =>
        source.Length <= LongestSource
            ? new ChatTemplate(name, source) { BeginToken = beginToken, EndToken = endToken }
            : throw new ChatTemplateException(name, 1, $"{source.Length} characters, wanted at most {LongestSource}");

    /// <summary>Renders messages that have text alone.</summary>
    /// <exception cref="ChatTemplateException">
    /// The template refuses the conversation, fails, or is over its limits.
    /// </exception>
    public RenderedChat Render(IReadOnlyList<ChatTurn> turns, bool addGenerationPrompt = true)
    {
        Budget budget = new(new ChatTemplateLimits());
        Sequence messages = new([.. turns.Select(turn =>
        {
            Map message = new();
            message.Set(Text.OfData("role"), Text.OfData(turn.Role));
            message.Set(Text.OfData("content"), Text.OfData(turn.Content));
            return message;
        })]);
        return Render(messages, addGenerationPrompt, now: null, new Scope(null), budget);
    }

    /// <summary>Renders a conversation.</summary>
    /// <exception cref="ChatTemplateException">
    /// The template refuses the conversation, fails, or is over its limits.
    /// </exception>
    public RenderedChat Render(ChatTemplateInputs inputs)
    {
        Budget budget = new(inputs.Limits);
        Scope variables = new(null);
        try
        {
            foreach ((string name, JsonElement value) in inputs.Variables)
            {
                variables.Set(name, JsonInput.Convert(value, budget));
            }

            if (inputs.Tools is JsonElement tools)
            {
                variables.Set("tools", JsonInput.Convert(tools, budget));
            }

            object? messages = JsonInput.Convert(inputs.Messages, budget);
            return Render(messages, inputs.AddGenerationPrompt, inputs.Now, variables, budget);
        }
        catch (TemplateError error)
        {
            throw new ChatTemplateException(_name, 1, error.Message);
        }
    }

    private RenderedChat Render(
        object? messages, bool addGenerationPrompt, DateTime? now, Scope variables, Budget budget)
    {
        TemplateFunctions.SetIn(variables, now, budget);
        variables.Set("messages", messages);
        variables.Set("add_generation_prompt", addGenerationPrompt);
        SetToken(variables, "bos_token", BeginToken);
        SetToken(variables, "eos_token", EndToken);
        return new TemplateEvaluator(_name, budget).Render(_statements, variables);
    }

    private static void SetToken(Scope variables, string name, string? token)
    {
        if (token is not null)
        {
            variables.Set(name, Text.OfTemplate(token));
        }
    }
}
