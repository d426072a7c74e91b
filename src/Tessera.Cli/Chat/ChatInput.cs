using System.Text;

namespace Tessera.Cli.Chat;

/// <summary>Reads messages of one or more lines.</summary>
internal static class ChatInput
{
    private const string Fence = "\"\"\"";

    /// <summary>
    /// Reads a message: a line; lines that end in a backslash and the one after them; or what stands between """ and
    /// """.
    /// </summary>
    /// <param name="readLine">Returns a line, asked for as the first one or as a further one; null at the end.</param>
    /// <returns>The message; null at the end of the input.</returns>
    public static string? Read(Func<bool, string?> readLine)
    {
        if (readLine(true) is not { } line)
        {
            return null;
        }

        if (line.TrimStart().StartsWith(Fence, StringComparison.Ordinal))
        {
            return ReadFenced(line.TrimStart()[Fence.Length..], readLine);
        }

        StringBuilder message = new();
        string? next = line;
        while (next is not null && next.EndsWith('\\'))
        {
            message.Append(next, 0, next.Length - 1).Append('\n');
            next = readLine(false);
        }

        return message.Append(next).ToString();
    }

    private static string ReadFenced(string line, Func<bool, string?> readLine)
    {
        StringBuilder message = new();
        string? next = line;
        while (next is not null)
        {
            int end = next.IndexOf(Fence, StringComparison.Ordinal);
            if (end >= 0)
            {
                message.Append(next, 0, end);
                break;
            }

            message.Append(next).Append('\n');
            next = readLine(false);
        }

        return message.ToString().Trim('\n');
    }
}
