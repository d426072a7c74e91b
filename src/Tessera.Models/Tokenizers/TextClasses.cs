using System.Buffers;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Tessera.Models.Tokenizers;

/// <summary>
/// Finds the class of the characters of a UTF-8 text, above U+FFFF too, where .NET's own Regex does not.
/// </summary>
internal static class TextClasses
{
    private const byte NotAscii = 255;

    // A byte below 128 has its class here; the others lead to a decoding.
    private static readonly byte[] _classOfByte = ClassesOfFirstBytes();

    /// <summary>Returns the class of the character at a position, and its length in bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TextClass At(ReadOnlySpan<byte> text, int position, out int length)
    {
        byte found = _classOfByte[text[position]];
        length = 1;
        return found != NotAscii ? (TextClass)found : DecodeAt(text, position, out length);
    }

    /// <summary>
    /// Returns the end of the run of characters of one class that starts at a position, which may be the text's end.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int RunEnd(ReadOnlySpan<byte> text, int position, TextClass wanted)
    {
        byte[] classes = _classOfByte;
        while ((uint)position < (uint)text.Length)
        {
            byte found = classes[text[position]];
            if (found == (byte)wanted)
            {
                position++;
            }
            else if (found != NotAscii || DecodeAt(text, position, out int length) != wanted)
            {
                break;
            }
            else
            {
                position += length;
            }
        }

        return position;
    }

    /// <summary>Returns the class of a code point.</summary>
    public static TextClass Of(Rune rune) => rune.IsAscii ? OfAscii(rune.Value) : OfCategory(rune.Value);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static TextClass DecodeAt(ReadOnlySpan<byte> text, int position, out int length)
    {
        OperationStatus status = Rune.DecodeFromUtf8(text[position..], out Rune rune, out length);
        return status == OperationStatus.Done ? OfCategory(rune.Value) : TextClass.Other;
    }

    private static TextClass OfCategory(int codePoint)
    {
        switch (CharUnicodeInfo.GetUnicodeCategory(codePoint))
        {
            case UnicodeCategory.UppercaseLetter:
            case UnicodeCategory.LowercaseLetter:
            case UnicodeCategory.TitlecaseLetter:
            case UnicodeCategory.ModifierLetter:
            case UnicodeCategory.OtherLetter:
                return TextClass.Letter;
            case UnicodeCategory.DecimalDigitNumber:
            case UnicodeCategory.LetterNumber:
            case UnicodeCategory.OtherNumber:
                return TextClass.Number;
            case UnicodeCategory.SpaceSeparator:
            case UnicodeCategory.LineSeparator:
            case UnicodeCategory.ParagraphSeparator:
                return TextClass.Space;
            default:
                return codePoint == 0x85 ? TextClass.Space : TextClass.Other;
        }
    }

    private static TextClass OfAscii(int value) => value switch
    {
        (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') => TextClass.Letter,
        >= '0' and <= '9' => TextClass.Number,
        ' ' or (>= 9 and <= 13) => TextClass.Space,
        _ => TextClass.Other,
    };

    private static byte[] ClassesOfFirstBytes()
    {
        byte[] classes = new byte[256];
        for (int value = 0; value < classes.Length; value++)
        {
            classes[value] = ClassOfFirstByte(value);
        }

        return classes;
    }

    private static byte ClassOfFirstByte(int value) => value < 128 ? (byte)OfAscii(value) : NotAscii;
}
