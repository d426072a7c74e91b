using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;

namespace Tessera.Models.Tokenizers;

/// <summary>
/// Turns text into the ids of tokens and back. Text from users never makes a control token: only <see
/// cref="EncodeWithSpecials"/> and the template's part of <see cref="Encode(IReadOnlyList{TextSpan})"/> do. Safe to use
/// from several threads at once.
/// </summary>
public abstract class Tokenizer
{
    private const int LongestOnStack = 1024;

    /// <summary>Gets the largest id plus one: how many rows a table of embeddings needs at least.</summary>
    public abstract int VocabularySize { get; }

    /// <summary>
    /// Gets the tokens that are found in the text as it stands, control tokens and others, in order of their ids.
    /// </summary>
    public abstract IReadOnlyList<AddedToken> AddedTokens { get; }

    /// <summary>Gets a name that differs for tokenizers that give different ids.</summary>
    public abstract string Fingerprint { get; }

    /// <summary>Gets the control tokens in order of their ids.</summary>
    public IReadOnlyList<AddedToken> SpecialTokens => [.. AddedTokens.Where(token => token.IsSpecial)];

    /// <summary>
    /// Returns the id of a token as the vocabulary writes it, or null where it has none of that name.
    /// </summary>
    public abstract int? TokenToId(string token);

    /// <summary>Returns a token as the vocabulary writes it, or null where no token has the id.</summary>
    public abstract string? IdToToken(int id);

    /// <summary>Returns the bytes that a token stands for in a text; nothing where no token has the id.</summary>
    public abstract ReadOnlySpan<byte> TokenBytes(int id);

    /// <summary>Returns whether an id is a control token's.</summary>
    public abstract bool IsSpecial(int id);

    /// <summary>Encodes text from anywhere; markers in it stay text.</summary>
    public int[] Encode(string text)
    {
        List<int> ids = [];
        Encode(text.AsSpan(), ids);
        return [.. ids];
    }

    /// <summary>Encodes text that is trusted; markers in it become control tokens.</summary>
    public int[] EncodeWithSpecials(string text)
    {
        List<int> ids = [];
        Encode([new TextSpan(text, IsTemplate: true)], ids);
        return [.. ids];
    }

    /// <summary>
    /// Encodes a rendered conversation as one text in which only the template's markers become control tokens.
    /// </summary>
    public int[] Encode(IReadOnlyList<TextSpan> spans)
    {
        List<int> ids = [];
        Encode(spans, ids);
        return [.. ids];
    }

    /// <summary>
    /// Appends the ids of text from anywhere; half a surrogate pair counts as U+FFFD. Allocates nothing once warm.
    /// </summary>
    public void Encode(ReadOnlySpan<char> text, List<int> ids)
    {
        int most = Encoding.UTF8.GetMaxByteCount(text.Length);
        if (most <= LongestOnStack)
        {
            Span<byte> bytes = stackalloc byte[LongestOnStack];
            Encode(bytes[..Encoding.UTF8.GetBytes(text, bytes)], ids);
            return;
        }

        byte[] rented = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetByteCount(text));
        Encode(rented.AsSpan(0, Encoding.UTF8.GetBytes(text, rented)), ids);
        ArrayPool<byte>.Shared.Return(rented);
    }

    /// <summary>
    /// Appends the ids of UTF-8 text from anywhere; bytes that are not UTF-8 are encoded as they are, and count as
    /// U+FFFD where the text is split. Allocates nothing once warm.
    /// </summary>
    public void Encode(ReadOnlySpan<byte> utf8, List<int> ids) => EncodeCore(utf8, [], ids);

    /// <summary>
    /// Appends the ids of a rendered conversation in which only the template's markers become control tokens.
    /// </summary>
    public void Encode(IReadOnlyList<TextSpan> spans, List<int> ids)
    {
        byte[] bytes = new byte[spans.Sum(span => Encoding.UTF8.GetByteCount(span.Text))];
        List<Range> trusted = [];
        int start = 0;
        foreach (TextSpan span in spans)
        {
            int end = start + Encoding.UTF8.GetBytes(span.Text, bytes.AsSpan(start));
            if (span.IsTemplate && trusted.Count > 0 && trusted[^1].End.Value == start)
            {
                trusted[^1] = trusted[^1].Start..end;
            }
            else if (span.IsTemplate)
            {
                trusted.Add(start..end);
            }

            start = end;
        }

        EncodeCore(bytes, CollectionsMarshal.AsSpan(trusted), ids);
    }

    /// <summary>
    /// Returns the text of tokens; ids that no token has are passed over, bytes that are not UTF-8 become U+FFFD.
    /// </summary>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecials = false)
    {
        ArrayBufferWriter<byte> bytes = new();
        foreach (int id in ids)
        {
            if (!skipSpecials || !IsSpecial(id))
            {
                bytes.Write(TokenBytes(id));
            }
        }

        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    /// <summary>Returns a decoder for tokens that come one at a time.</summary>
    public StreamingDecoder CreateDecoder(bool skipSpecials = false) => new(this, skipSpecials);

    /// <summary>
    /// Appends the ids of a UTF-8 text in which markers within the trusted ranges (ascending, from the start) become
    /// control tokens.
    /// </summary>
    protected abstract void EncodeCore(ReadOnlySpan<byte> utf8, ReadOnlySpan<Range> trusted, List<int> ids);
}
