namespace Tessera.Models.ChatTemplates;

/// <summary>
/// Says what is wrong with a chat template, or with a conversation that it refuses, and in which line of it.
/// </summary>
public sealed class ChatTemplateException : Exception
{
    internal ChatTemplateException(string template, int line, string problem)
        : base($"{template}: line {line}: {problem}")
    {
        Line = line;
        Problem = problem;
    }

    /// <summary>Gets the line of the template, from 1.</summary>
    public int Line { get; }

    /// <summary>Gets what is wrong, without the place.</summary>
    public string Problem { get; }
}
