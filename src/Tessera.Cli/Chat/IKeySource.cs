namespace Tessera.Cli.Chat;

/// <summary>Gives the keys that are pressed.</summary>
internal interface IKeySource
{
    /// <summary>Gets whether a key can be read without waiting.</summary>
    bool IsWaiting { get; }

    /// <summary>Waits for a key and returns it.</summary>
    ConsoleKeyInfo Read();
}
