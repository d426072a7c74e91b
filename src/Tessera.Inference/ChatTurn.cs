namespace Tessera.Inference;

/// <summary>Is one message of a conversation.</summary>
/// <param name="Role">Who speaks, as chat templates name them: system, user, assistant.</param>
/// <param name="Content">What is said.</param>
public sealed record ChatTurn(string Role, string Content);
