using System.CommandLine;

namespace Tessera.Cli;

/// <summary>Is a command whose help shows examples.</summary>
internal sealed class TesseraCommand(string name, string description) : Command(name, description)
{
    /// <summary>Gets whole command lines, each with what it does.</summary>
    public required IReadOnlyList<(string Line, string Meaning)> Examples { get; init; }
}
