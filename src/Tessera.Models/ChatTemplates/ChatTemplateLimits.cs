namespace Tessera.Models.ChatTemplates;

/// <summary>Bounds what rendering may cost: templates come with models, and so from anywhere.</summary>
public sealed record ChatTemplateLimits
{
    /// <summary>
    /// Gets the most steps; a step is an expression, a statement, an item, or sixteen characters written.
    /// </summary>
    public int Steps { get; init; } = 5_000_000;

    /// <summary>Gets the most characters of a rendered text, and of any text on the way.</summary>
    public int Characters { get; init; } = 1 << 24;
}
