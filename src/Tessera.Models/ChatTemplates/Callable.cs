namespace Tessera.Models.ChatTemplates;

/// <summary>Holds something that a template can call: a function, a method of a value, or a macro.</summary>
internal sealed record Callable(string Name, Func<Arguments, object?> Body);
