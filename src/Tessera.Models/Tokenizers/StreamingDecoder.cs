using System.Buffers;
using System.Text;
using System.Text.Unicode;

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

    /// <summary>Gets whether the bytes of half a character wait for the rest.</summary>
    public bool IsWaiting => _waiting.WrittenCount > 0;

    /// <summary>Takes a token; returns the text that is whole now, which may be empty.</summary>
    public string Append(int id)
    {
        ArrayBufferWriter<char> text = new();
        Append(id, text);
        return new string(text.WrittenSpan);
    }

    /// <summary>Takes a token and writes the text that is whole now; allocates nothing itself.</summary>
    public void Append(int id, IBufferWriter<char> text)
    {
        if (!_skipSpecials || !_tokenizer.IsSpecial(id))
        {
            _waiting.Write(_tokenizer.TokenBytes(id));
        }

        Take(_waiting.WrittenCount - IncompleteEnd(_waiting.WrittenSpan), text);
    }

    /// <summary>Ends the stream; returns what was waiting, as U+FFFD.</summary>
    public string Flush()
    {
        ArrayBufferWriter<char> text = new();
        Flush(text);
        return new string(text.WrittenSpan);
    }

    /// <summary>Ends the stream and writes what was waiting, as U+FFFD.</summary>
    public void Flush(IBufferWriter<char> text) => Take(_waiting.WrittenCount, text);

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

    private void Take(int length, IBufferWriter<char> text)
    {
        if (length == 0)
        {
            return;
        }

        // Unlike Encoding.GetChars, this allocates nothing where bytes are not UTF-8. No byte makes more than one char.
        _ = Utf8.ToUtf16(_waiting.WrittenSpan[..length], text.GetSpan(length), out _, out int written);
        text.Advance(written);
        Span<byte> rest = stackalloc byte[LongestCharacter];
        int kept = _waiting.WrittenCount - length;
        _waiting.WrittenSpan[length..].CopyTo(rest);
        _waiting.ResetWrittenCount();
        _waiting.Write(rest[..kept]);
    }
}
