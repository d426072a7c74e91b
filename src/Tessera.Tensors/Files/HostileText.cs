using System.Globalization;
using System.Text;

namespace Tessera.Tensors.Files;

/// <summary>Shows text that came from outside in an error: quoted, short, and without control characters.</summary>
public static class HostileText
{
    private const int Longest = 80;

    /// <summary>
    /// Returns the text between quotes, cut after 80 characters, with controls, invisible characters
    /// (marks that turn the direction of writing among them), line ends and surrogates as \uXXXX.
    /// </summary>
    public static string Quote(ReadOnlySpan<char> text) => $"\"{Shown(text, @"""\")}\"";

    /// <summary>Returns the text as <see cref="Quote"/> does, without quotes: a number, or a piece of JSON.</summary>
    public static string Plain(ReadOnlySpan<char> text) => Shown(text, "");

    private static string Shown(ReadOnlySpan<char> text, ReadOnlySpan<char> escaped)
    {
        StringBuilder shown = new();
        foreach (char c in text[..Math.Min(text.Length, Longest)])
        {
            _ = escaped.Contains(c) ? shown.Append('\\').Append(c)
                : char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format
                    or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate
                    ? shown.Append($"\\u{(int)c:x4}")
                : shown.Append(c);
        }

        return shown.Append(text.Length > Longest ? "…" : "").ToString();
    }
}
