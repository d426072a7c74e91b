namespace Tessera.Models.ChatTemplates;

/// <summary>Holds a message of a conversation that has text alone.</summary>
/// <param name="Role">Who speaks: system, user or assistant in most templates.</param>
/// <param name="Content">What is said.</param>
public sealed record ChatTurn(string Role, string Content);
