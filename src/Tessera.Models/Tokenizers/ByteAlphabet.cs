namespace Tessera.Models.Tokenizers;

/// <summary>
/// Holds GPT-2's byte alphabet, in which tokenizer.json writes byte-level tokens: 33–126, 161–172 and 174–255 stand for
/// themselves, the other 68 bytes in order for U+0100 and up (Radford et al. 2019, encoder.py).
/// </summary>
internal static class ByteAlphabet
{
    private const int CharacterCount = 256 + 68;

    private static readonly char[] _characterOfByte = new char[256];
    private static readonly short[] _byteOfCharacter = new short[CharacterCount];

    static ByteAlphabet()
    {
        Array.Fill(_byteOfCharacter, (short)-1);
        int shifted = 0;
        for (int value = 0; value < 256; value++)
        {
            bool standsForItself = value is (>= 33 and <= 126) or (>= 161 and <= 172) or >= 174;
            char character = (char)(standsForItself ? value : 256 + shifted++);
            _characterOfByte[value] = character;
            _byteOfCharacter[character] = (short)value;
        }

        string[] tokens = new string[256];
        int count = 0;
        for (int character = 0; character < CharacterCount; character++)
        {
            if (_byteOfCharacter[character] >= 0)
            {
                tokens[count++] = ((char)character).ToString();
            }
        }

        Tokens = tokens;
    }

    /// <summary>Gets the tokens of the 256 bytes in order of their characters, as vocabularies have them.</summary>
    public static IReadOnlyList<string> Tokens { get; }

    /// <summary>Returns the token that stands for a byte.</summary>
    public static string Token(byte value) => _characterOfByte[value].ToString();

    /// <summary>Writes bytes in the alphabet.</summary>
    public static string Write(ReadOnlySpan<byte> bytes) =>
        string.Create(bytes.Length, bytes, static (characters, bytes) => Write(bytes, characters));

    /// <summary>Writes bytes in the alphabet into as many characters.</summary>
    public static void Write(ReadOnlySpan<byte> bytes, Span<char> characters)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            characters[i] = _characterOfByte[bytes[i]];
        }
    }

    /// <summary>Reads a token in the alphabet; returns false where a character of it is not of the alphabet.</summary>
    public static bool TryRead(string token, Span<byte> bytes)
    {
        for (int i = 0; i < token.Length; i++)
        {
            char character = token[i];
            if (character >= CharacterCount || _byteOfCharacter[character] < 0)
            {
                return false;
            }

            bytes[i] = (byte)_byteOfCharacter[character];
        }

        return true;
    }
}
