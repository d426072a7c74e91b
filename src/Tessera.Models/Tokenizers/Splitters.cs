using System.Runtime.CompilerServices;

namespace Tessera.Models.Tokenizers;

/// <summary>Holds what the splitters share.</summary>
internal static class Splitters
{
    /// <summary>
    /// Returns the last place after <paramref name="start"/> where a letter is followed by another class, or null.
    /// </summary>
    public static int? SafeCut(ReadOnlySpan<byte> text, int start = 0)
    {
        for (int next = text.Length - 1; next > start; next--)
        {
            // Only a first byte starts a character; the last character may be cut short, so it decides nothing.
            if ((text[next] & 0xC0) == 0x80 || next > text.Length - 4)
            {
                continue;
            }

            int previous = next - 1;
            while (previous > start && next - previous < 4 && (text[previous] & 0xC0) == 0x80)
            {
                previous--;
            }

            bool afterLetter = TextClasses.At(text, previous, out int length) == TextClass.Letter
                && previous + length == next;
            if (afterLetter && TextClasses.At(text, next, out _) != TextClass.Letter)
            {
                return next;
            }
        }

        return null;
    }

    /// <summary>
    /// Returns the end of white space without a line end: all of it at the text's end, else all but the last character.
    /// </summary>
    public static int SpaceEnd(ReadOnlySpan<byte> text, int start, int runEnd)
    {
        if (runEnd == text.Length)
        {
            return runEnd;
        }

        int last = runEnd - 1;
        while ((text[last] & 0xC0) == 0x80)
        {
            last--;
        }

        return last > start ? last : runEnd;
    }

    /// <summary>Returns the length of 's, 't, 'm, 'd, 're, 've or 'll at a position, or 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Contraction(ReadOnlySpan<byte> text, int start, byte caseBit)
    {
        if (text[start] != '\'' || start + 1 >= text.Length)
        {
            return 0;
        }

        int first = text[start + 1] | caseBit;
        if (first is 's' or 't' or 'm' or 'd')
        {
            return 2;
        }

        if (start + 2 >= text.Length)
        {
            return 0;
        }

        int second = text[start + 2] | caseBit;
        return (first, second) is ('r', 'e') or ('v', 'e') or ('l', 'l') ? 3 : 0;
    }
}
