namespace Tessera.Training.Data;

/// <summary>Holds one message of a conversation.</summary>
/// <param name="Role">The speaker: <c>system</c>, <c>user</c> or <c>assistant</c>.</param>
/// <param name="Content">What is said.</param>
public sealed record ChatTurn(string Role, string Content);
