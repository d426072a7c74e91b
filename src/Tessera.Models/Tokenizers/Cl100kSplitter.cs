namespace Tessera.Models.Tokenizers;

/// <summary>Splits as cl100k_base's expression does, alternative by alternative, in its order.</summary>
internal readonly struct Cl100kSplitter : ISplitter
{
    /// <summary>The expression, as tokenizer.json names it.</summary>
    public const string Expression =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
        + @" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private const int NumbersInAWord = 3;

    /// <inheritdoc/>
    public static int WordEnd(ReadOnlySpan<byte> text, int start)
    {
        TextClass first = TextClasses.At(text, start, out int length);
        int next = start + length;
        if (first == TextClass.Letter)
        {
            return TextClasses.RunEnd(text, next, TextClass.Letter);
        }

        if (first == TextClass.Number)
        {
            return NumberEnd(text, next);
        }

        int contraction = first == TextClass.Other ? Contraction(text, start) : 0;
        if (contraction > 0)
        {
            return start + contraction;
        }

        byte lead = text[start];
        TextClass second = next < text.Length ? TextClasses.At(text, next, out length) : TextClass.Space;
        if (second == TextClass.Letter && lead != '\r' && lead != '\n')
        {
            return TextClasses.RunEnd(text, next + length, TextClass.Letter);
        }

        if (first == TextClass.Other || (lead == ' ' && second == TextClass.Other))
        {
            return LineEnds(text, TextClasses.RunEnd(text, next, TextClass.Other));
        }

        int runEnd = TextClasses.RunEnd(text, next, TextClass.Space);
        int lastLineEnd = text[start..runEnd].LastIndexOfAny((byte)'\r', (byte)'\n');
        return lastLineEnd >= 0 ? start + lastLineEnd + 1 : Splitters.SpaceEnd(text, start, runEnd);
    }

    private static int NumberEnd(ReadOnlySpan<byte> text, int next)
    {
        for (int count = 1; count < NumbersInAWord && next < text.Length; count++)
        {
            if (TextClasses.At(text, next, out int length) != TextClass.Number)
            {
                break;
            }

            next += length;
        }

        return next;
    }

    private static int Contraction(ReadOnlySpan<byte> text, int start)
    {
        // Case is ignored by Unicode's simple folding, in which U+017F, the long s (C5 BF), is an s.
        return text[start..].StartsWith("'\u017F"u8) ? 3 : Splitters.Contraction(text, start, caseBit: 0x20);
    }

    private static int LineEnds(ReadOnlySpan<byte> text, int position)
    {
        while (position < text.Length && (text[position] == '\r' || text[position] == '\n'))
        {
            position++;
        }

        return position;
    }
}
