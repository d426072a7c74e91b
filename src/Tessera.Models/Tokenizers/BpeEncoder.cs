using System.Buffers;
using System.Runtime.CompilerServices;

namespace Tessera.Models.Tokenizers;

/// <summary>
/// Encodes texts word by word; holds what a thread writes while it does: the cache of words and the memory of merges.
/// </summary>
internal sealed class BpeEncoder(BpeModel model)
{
    // Room for some thousand words between two appends to the list.
    private const int BufferSize = 1 << 13;

    // A long word's memory is given back after it.
    private const int KeptTokens = 1 << 16;

    private readonly WordCache _cache = new();
    private readonly WordMerger _merger = new(model.Merges);
    private readonly int[] _buffer = new int[BufferSize];
    private int[] _long = new int[256];
    private int _count;

    /// <summary>Appends the ids of a text without added tokens.</summary>
    public void Encode<TSplitter>(ReadOnlySpan<byte> text, List<int> ids)
        where TSplitter : ISplitter
    {
        _count = 0;
        SearchValues<byte>? dropped = model.Dropped is { } bytes && text.ContainsAny(bytes) ? bytes : null;
        for (int start = 0; start < text.Length;)
        {
            int end = TSplitter.WordEnd(text, start);
            if (dropped is not null && text[start..end].ContainsAny(dropped))
            {
                byte[] kept = Without(text[start..end], dropped);
                EncodeWord(kept, 0, kept.Length, ids);
            }
            else
            {
                EncodeWord(text, start, end, ids);
            }

            start = end;
        }

        Flush(ids);
    }

    private static byte[] Without(ReadOnlySpan<byte> word, SearchValues<byte> dropped) =>
        [.. word.ToArray().Where(value => !dropped.Contains(value))];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void EncodeWord(ReadOnlySpan<byte> text, int start, int end, List<int> ids)
    {
        if (_count > BufferSize - WordCache.LongestWord)
        {
            Flush(ids);
        }

        if (end - start <= WordCache.LongestWord)
        {
            EncodeShort(text, start, end - start);
        }
        else
        {
            EncodeLong(text[start..end], ids);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void EncodeShort(ReadOnlySpan<byte> text, int start, int length)
    {
        (ulong low, ulong high) = WordCache.Key(text, start, length);
        ref WordCache.Slot slot = ref _cache.Place(low, high);
        if (slot.Low == low && slot.High == high && slot.Length == length)
        {
            // All places are copied, used or not: a copy of fixed length has no loop.
            ((ReadOnlySpan<int>)slot.Tokens).CopyTo(_buffer.AsSpan(_count, WordCache.MostTokens));
            _count += slot.Count;
        }
        else
        {
            EncodeUncached(text.Slice(start, length), low, high, ref slot);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void EncodeUncached(ReadOnlySpan<byte> word, ulong low, ulong high, ref WordCache.Slot slot)
    {
        Span<int> tokens = _buffer.AsSpan(_count, word.Length);
        int count = Merge(word, tokens);
        _count += count;
        if (count <= WordCache.MostTokens)
        {
            (slot.Low, slot.High, slot.Length, slot.Count) = (low, high, (short)word.Length, (short)count);
            tokens[..count].CopyTo(slot.Tokens);
        }
    }

    private int Merge(ReadOnlySpan<byte> word, Span<int> tokens)
    {
        if (model.IgnoreMerges && model.TryWholeWord(word, out int whole))
        {
            tokens[0] = whole;
            return 1;
        }

        model.Tokens(word, tokens);
        return _merger.Merge(tokens);
    }

    // A long word is cut where no token has the two bytes beside each other: the parts can't be merged, so that they
    // can be encoded alone. Words of Chinese, which are whole clauses, fall into short parts here.
    private void EncodeLong(ReadOnlySpan<byte> word, List<int> ids)
    {
        if (model.IgnoreMerges)
        {
            EncodePart(word, ids);
            return;
        }

        int start = 0;
        for (int i = 1; i <= word.Length; i++)
        {
            if (i < word.Length && model.AreJoined(word[i - 1], word[i]))
            {
                continue;
            }

            if (_count > BufferSize - WordCache.LongestWord)
            {
                Flush(ids);
            }

            if (i - start <= WordCache.LongestWord)
            {
                EncodeShort(word, start, i - start);
            }
            else
            {
                EncodePart(word[start..i], ids);
            }

            start = i;
        }
    }

    private void EncodePart(ReadOnlySpan<byte> word, List<int> ids)
    {
        if (_long.Length < word.Length)
        {
            _long = new int[word.Length];
        }

        Span<int> tokens = _long.AsSpan(0, word.Length);
        int count = Merge(word, tokens);
        Flush(ids);
        ids.AddRange(tokens[..count]);
        if (_long.Length > KeptTokens)
        {
            _long = new int[256];
        }
    }

    private void Flush(List<int> ids)
    {
        ids.AddRange(_buffer.AsSpan(0, _count));
        _count = 0;
    }
}
