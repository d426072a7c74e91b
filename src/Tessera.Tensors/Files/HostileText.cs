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
    public static string Quote(ReadOnlySpan<char> text)
    {
        StringBuilder shown = new("\"");
        foreach (char c in text[..Math.Min(text.Length, Longest)])
        {
            _ = c is '"' or '\\' ? shown.Append('\\').Append(c)
                : char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format
                    or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate
                    ? shown.Append($"\\u{(int)c:x4}")
                : shown.Append(c);
        }

        return shown.Append(text.Length > Longest ? "…\"" : "\"").ToString();
    }
}
