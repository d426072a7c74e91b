using Tessera.Models.Tokenizers;

namespace Tessera.Models.ChatTemplates;

/// <summary>Holds a rendered conversation: a text of which each part is the template's own or data.</summary>
/// <param name="Text">The whole text.</param>
/// <param name="Spans">The text in parts; markers become control tokens only in the template's.</param>
public sealed record RenderedChat(string Text, IReadOnlyList<TextSpan> Spans);
