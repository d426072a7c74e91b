namespace Tessera.Cli;

/// <summary>Ends a command with a message that says what was wrong and what to do.</summary>
internal sealed class CommandFailedException(string message) : Exception(message);
