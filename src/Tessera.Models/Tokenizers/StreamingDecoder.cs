using System.Buffers;
using System.Text;

namespace Tessera.Models.Tokenizers;

/// <summary>
/// Decodes tokens as they come and gives whole characters only: the bytes of half a character wait for the rest.
/// </summary>
public sealed class StreamingDecoder
{
    private const int LongestCharacter = 4;

    private readonly Tokenizer _tokenizer;
    private readonly bool _skipSpecials;
    private readonly ArrayBufferWriter<byte> _waiting = new(64);

    internal StreamingDecoder(Tokenizer tokenizer, bool skipSpecials)
    {
        _tokenizer = tokenizer;
        _skipSpecials = skipSpecials;
    }

    /// <summary>Takes a token; returns the text that is whole now, which may be empty.</summary>
    public string Append(int id)
    {
        if (!_skipSpecials || !_tokenizer.IsSpecial(id))
        {
            _waiting.Write(_tokenizer.TokenBytes(id));
        }

        return Take(_waiting.WrittenCount - IncompleteEnd(_waiting.WrittenSpan));
    }

    /// <summary>Ends the stream; returns what was waiting, as U+FFFD.</summary>
    public string Flush() => Take(_waiting.WrittenCount);

    // The number of last bytes that begin a character whose other bytes may still come.
    private static int IncompleteEnd(ReadOnlySpan<byte> bytes)
    {
        for (int length = 1; length < LongestCharacter && length <= bytes.Length; length++)
        {
            byte first = bytes[^length];
            if ((first & 0xC0) != 0x80)
            {
                bool incomplete = Rune.DecodeFromUtf8(bytes[^length..], out _, out _) == OperationStatus.NeedMoreData;
                return incomplete ? length : 0;
            }
        }

        return 0;
    }

    private string Take(int length)
    {
        if (length == 0)
        {
            return "";
        }

        string text = Encoding.UTF8.GetString(_waiting.WrittenSpan[..length]);
        Span<byte> rest = stackalloc byte[LongestCharacter];
        int kept = _waiting.WrittenCount - length;
        _waiting.WrittenSpan[length..].CopyTo(rest);
        _waiting.ResetWrittenCount();
        _waiting.Write(rest[..kept]);
        return text;
    }
}
