using System.Globalization;
using System.Text;

namespace Tessera.Cli.Chat;

/// <summary>
/// Says how many columns of a terminal a text takes: two for the characters of East Asia and pictures.
/// </summary>
internal static class CharacterWidth
{
    // The blocks that Unicode's East Asian Width calls wide or fullwidth, taken together where gaps are unassigned.
    private static readonly (int First, int Last)[] _wide =
    [
        (0x1100, 0x115F), (0x2E80, 0x303E), (0x3041, 0x33FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA000, 0xA4CF),
        (0xA960, 0xA97F), (0xAC00, 0xD7A3), (0xF900, 0xFAFF), (0xFE30, 0xFE6F), (0xFF00, 0xFF60), (0xFFE0, 0xFFE6),
        (0x1F300, 0x1F64F), (0x1F680, 0x1F6FF), (0x1F900, 0x1FAFF), (0x20000, 0x3FFFD),
    ];

    /// <summary>Returns the columns of a text.</summary>
    public static int Of(ReadOnlySpan<char> text)
    {
        int width = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            width += Of(rune);
        }

        return width;
    }

    /// <summary>Returns the columns of a character.</summary>
    public static int Of(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format
            or UnicodeCategory.Control => 0,
        _ => Array.Exists(_wide, block => rune.Value >= block.First && rune.Value <= block.Last) ? 2 : 1,
    };
}
