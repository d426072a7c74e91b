namespace Tessera.Models.Tokenizers;

/// <summary>
/// Makes each character of \p{N} a word, and splits what stands between them as GPT-2's expression does, as if each
/// piece were a text of its own.
/// </summary>
internal readonly struct Gpt2DigitsSplitter : ISplitter
{
    /// <inheritdoc/>
    public static int WordEnd(ReadOnlySpan<byte> text, int start)
    {
        TextClass first = TextClasses.At(text, start, out int length);
        if (first == TextClass.Number)
        {
            return start + length;
        }

        if (first == TextClass.Space)
        {
            // White space before a number ends its piece: all of it is one word there, not all but the last character.
            int end = TextClasses.RunEnd(text, start + length, TextClass.Space);
            if (end < text.Length && TextClasses.At(text, end, out _) == TextClass.Number)
            {
                return end;
            }
        }

        return Gpt2Splitter.WordEnd(text, start);
    }
}
