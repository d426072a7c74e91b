namespace Tessera.Models.Tokenizers;

/// <summary>
/// Holds a piece of a rendered conversation and says whether it is the template's own text or data from outside.
/// </summary>
/// <param name="Text">The text.</param>
/// <param name="IsTemplate">Whether markers in it may become control tokens.</param>
public readonly record struct TextSpan(string Text, bool IsTemplate);
