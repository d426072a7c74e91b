namespace Tessera.Cli.Chat;

/// <summary>Reads the terminal's keys; Ctrl-C is one of them while it waits.</summary>
internal sealed class ConsoleKeys : IKeySource
{
    public bool IsWaiting => Console.KeyAvailable;

    public ConsoleKeyInfo Read()
    {
        Console.TreatControlCAsInput = true;
        try
        {
            return Console.ReadKey(intercept: true);
        }
        finally
        {
            Console.TreatControlCAsInput = false;
        }
    }
}
