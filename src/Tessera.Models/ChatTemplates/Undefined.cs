namespace Tessera.Models.ChatTemplates;

/// <summary>
/// Stands for a value that isn't there: it prints as nothing and is false, and most other uses of it are errors.
/// </summary>
internal sealed record Undefined(string Problem);
