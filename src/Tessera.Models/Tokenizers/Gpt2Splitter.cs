namespace Tessera.Models.Tokenizers;

/// <summary>Splits as GPT-2's expression does, alternative by alternative, in its order.</summary>
internal readonly struct Gpt2Splitter : ISplitter
{
    /// <summary>The expression, as tokenizer.json names it.</summary>
    public const string Expression =
        @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <inheritdoc/>
    public static int WordEnd(ReadOnlySpan<byte> text, int start)
    {
        TextClass first = TextClasses.At(text, start, out int length);
        if (first != TextClass.Space)
        {
            int contraction = first == TextClass.Other ? Splitters.Contraction(text, start, caseBit: 0) : 0;
            return contraction > 0 ? start + contraction : TextClasses.RunEnd(text, start + length, first);
        }

        int next = start + length;
        if (text[start] == ' ' && next < text.Length)
        {
            TextClass second = TextClasses.At(text, next, out length);
            if (second != TextClass.Space)
            {
                return TextClasses.RunEnd(text, next + length, second);
            }
        }

        return Splitters.SpaceEnd(text, start, TextClasses.RunEnd(text, next, TextClass.Space));
    }
}
