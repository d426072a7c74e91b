namespace Tessera.Cli;

/// <summary>
/// Writes what a model says to standard output: as it is into files and pipes, and to a terminal without the control
/// characters that would let a model move the cursor, change colours or set the window's title.
/// </summary>
internal static class AnswerOutput
{
    private static readonly bool _isTerminal = !Console.IsOutputRedirected;

    /// <summary>Writes a piece of an answer.</summary>
    public static void Write(string text) => StandardStreams.Output.Write(_isTerminal ? Harmless(text) : text);

    /// <summary>Ends an answer.</summary>
    public static void End() => StandardStreams.Output.WriteLine();

    /// <summary>Returns a text in which control characters other than line ends and tabs are replaced.</summary>
    internal static string Harmless(string text) => text.Any(IsControl)
        ? string.Concat(text.Select(letter => IsControl(letter) ? '\ufffd' : letter))
        : text;

    private static bool IsControl(char letter) => char.IsControl(letter) && letter is not ('\n' or '\t');
}
