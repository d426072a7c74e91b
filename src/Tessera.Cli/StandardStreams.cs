using System.Text;

namespace Tessera.Cli;

/// <summary>
/// Holds the standard streams as UTF-8 text without a mark, written through at once. They leave the terminal's settings
/// alone, unlike <see cref="Console"/>'s, whose preparation costs a short command a noticeable part of its time.
/// </summary>
internal static class StandardStreams
{
    private static readonly UTF8Encoding _utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>Gets where results go.</summary>
    public static TextWriter Output { get; } = Writer(Console.OpenStandardOutput());

    /// <summary>Gets where everything else goes.</summary>
    public static TextWriter Error { get; } = Writer(Console.OpenStandardError());

    /// <summary>Opens standard input as text.</summary>
    public static TextReader OpenInput() => new StreamReader(Console.OpenStandardInput(), _utf8);

    // A signal's handler writes from a thread of its own, beside whatever the command writes.
    private static TextWriter Writer(Stream stream) =>
        TextWriter.Synchronized(new StreamWriter(stream, _utf8) { AutoFlush = true });
}
