using System.Numerics;
using System.Runtime.InteropServices;

namespace Tessera.Models.Tokenizers;

/// <summary>
/// Counts words. Words of up to 16 bytes stand in the table itself, so that counting one touches one place in memory;
/// longer ones stand in one growing piece of memory beside it.
/// </summary>
internal sealed class WordTable
{
    /// <summary>
    /// Longer words are counted in pieces of this many bytes, so that a text without a space can't fill the memory.
    /// </summary>
    public const int LongestWord = 1 << 14;

    // The most that a word costs: a table at its emptiest has four slots of 32 bytes for each, and half as many again
    // in the old table while it grows. The text of long words likewise.
    private const int MostBytesPerWord = 192;
    private const int MostBytesPerLongByte = 3;

    private ShortSlot[] _short = new ShortSlot[1 << 12];
    private LongSlot[] _long = new LongSlot[1 << 8];
    private byte[] _text = new byte[1 << 12];
    private int _shortCount;
    private int _longCount;
    private int _textLength;

    /// <summary>Gets how many different words there are.</summary>
    public int Count => _shortCount + _longCount;

    /// <summary>Gets the most bytes that these words may take, which depends only on the words.</summary>
    public long Bytes => ((long)Count * MostBytesPerWord) + ((long)_textLength * MostBytesPerLongByte);

    /// <summary>Returns the most bytes that a word of a length may take in a table.</summary>
    public static long BytesOf(int length) =>
        MostBytesPerWord + (length > WordCache.LongestWord ? (long)length * MostBytesPerLongByte : 0);

    /// <summary>Counts the words of a text that is cut where every splitter cuts.</summary>
    public void CountWords<TSplitter>(ReadOnlySpan<byte> text)
        where TSplitter : ISplitter
    {
        for (int start = 0; start < text.Length;)
        {
            int end = TSplitter.WordEnd(text, start);

            // The end of a word that is cut is not looked for again behind each cut: a line of 100 MB may be one word.
            for (; start < end; start += Math.Min(end - start, LongestWord))
            {
                int length = Math.Min(end - start, LongestWord);
                if (length <= WordCache.LongestWord)
                {
                    (ulong low, ulong high) = WordCache.Key(text, start, length);
                    AddShort(low, high, length, 1);
                }
                else
                {
                    AddLong(text.Slice(start, length), 1);
                }
            }
        }
    }

    /// <summary>Adds another table's counts.</summary>
    public void Add(WordTable other)
    {
        foreach (ref readonly ShortSlot slot in other._short.AsSpan())
        {
            if (slot.Length != 0)
            {
                AddShort(slot.Low, slot.High, slot.Length, slot.Count);
            }
        }

        foreach (ref readonly LongSlot slot in other._long.AsSpan())
        {
            if (slot.Length != 0)
            {
                AddLong(other._text.AsSpan(slot.Start, slot.Length), slot.Count);
            }
        }
    }

    /// <summary>Calls an action with each word and its count, in no particular order.</summary>
    public void ForEach(WordAction action)
    {
        Span<byte> word = stackalloc byte[WordCache.LongestWord];
        foreach (ref readonly ShortSlot slot in _short.AsSpan())
        {
            if (slot.Length != 0)
            {
                MemoryMarshal.Write(word, slot.Low);
                MemoryMarshal.Write(word[8..], slot.High);
                action(word[..slot.Length], slot.Count);
            }
        }

        foreach (ref readonly LongSlot slot in _long.AsSpan())
        {
            if (slot.Length != 0)
            {
                action(_text.AsSpan(slot.Start, slot.Length), slot.Count);
            }
        }
    }

    /// <summary>
    /// Forgets the rarest words until the others take at most so many bytes, where a word of a length takes what a
    /// function says: all words up to some count, so that what is left depends only on the counts. Returns how many
    /// words and how many occurrences were forgotten.
    /// </summary>
    public (long Words, long Occurrences) Prune(long mostBytes, Func<int, long> bytesOf)
    {
        SortedDictionary<long, long> bytesOfCount = [];
        ForEach((word, count) =>
            bytesOfCount[count] = bytesOfCount.GetValueOrDefault(count) + bytesOf(word.Length));

        long left = bytesOfCount.Values.Sum();
        if (left <= mostBytes)
        {
            return (0, 0);
        }

        long threshold = 0;
        foreach ((long count, long bytes) in bytesOfCount)
        {
            if (left <= mostBytes)
            {
                break;
            }

            left -= bytes;
            threshold = count;
        }

        WordTable kept = new();
        (long words, long occurrences) = (0, 0);
        ForEach((word, count) =>
        {
            if (count > threshold)
            {
                kept.AddWord(word, count);
            }
            else
            {
                words++;
                occurrences += count;
            }
        });

        (_short, _long, _text) = (kept._short, kept._long, kept._text);
        (_shortCount, _longCount, _textLength) = (kept._shortCount, kept._longCount, kept._textLength);
        return (words, occurrences);
    }

    /// <summary>Adds to a word's count.</summary>
    public void AddWord(ReadOnlySpan<byte> word, long count)
    {
        if (word.Length <= WordCache.LongestWord)
        {
            (ulong low, ulong high) = WordCache.Key(word, 0, word.Length);
            AddShort(low, high, word.Length, count);
        }
        else
        {
            AddLong(word, count);
        }
    }

    private void AddShort(ulong low, ulong high, int length, long count)
    {
        ShortSlot[] slots = _short;
        int index = (int)(WordCache.Hash(low, high) >> BitOperations.LeadingZeroCount((ulong)(slots.Length - 1)));
        while (true)
        {
            ref ShortSlot slot = ref slots[index];
            if (slot.Low == low && slot.High == high && slot.Length == length)
            {
                slot.Count += count;
                return;
            }

            if (slot.Length == 0)
            {
                slot = new ShortSlot { Low = low, High = high, Length = length, Count = count };
                break;
            }

            index = (index + 1) & (slots.Length - 1);
        }

        if (2 * ++_shortCount > slots.Length)
        {
            GrowShort();
        }
    }

    private void GrowShort()
    {
        ShortSlot[] old = _short;
        _short = new ShortSlot[2 * old.Length];
        _shortCount = 0;
        foreach (ref readonly ShortSlot slot in old.AsSpan())
        {
            if (slot.Length != 0)
            {
                AddShort(slot.Low, slot.High, slot.Length, slot.Count);
            }
        }
    }

    private void AddLong(ReadOnlySpan<byte> word, long count)
    {
        ulong hash = LongHash(word);
        ref LongSlot slot = ref _long[0];
        for (int index = (int)hash; ; index++)
        {
            slot = ref _long[index & (_long.Length - 1)];
            if (slot.Length == 0)
            {
                break;
            }

            if (slot.Hash == hash && word.SequenceEqual(_text.AsSpan(slot.Start, slot.Length)))
            {
                slot.Count += count;
                return;
            }
        }

        if (_textLength + word.Length > _text.Length)
        {
            long size = Math.Max(2L * _text.Length, _textLength + word.Length);
            Array.Resize(ref _text, (int)Math.Min(Array.MaxLength, size));
        }

        word.CopyTo(_text.AsSpan(_textLength));
        slot = new LongSlot { Hash = hash, Start = _textLength, Length = word.Length, Count = count };
        _textLength += word.Length;
        if (2 * ++_longCount > _long.Length)
        {
            GrowLong();
        }
    }

    private void GrowLong()
    {
        LongSlot[] old = _long;
        _long = new LongSlot[2 * old.Length];
        foreach (ref readonly LongSlot slot in old.AsSpan())
        {
            int index = (int)slot.Hash & (_long.Length - 1);
            while (slot.Length != 0 && _long[index].Length != 0)
            {
                index = (index + 1) & (_long.Length - 1);
            }

            _long[index] = slot.Length != 0 ? slot : _long[index];
        }
    }

    private static ulong LongHash(ReadOnlySpan<byte> word)
    {
        ulong hash = (ulong)word.Length;
        for (int i = 0; i < word.Length; i += WordCache.LongestWord)
        {
            (ulong low, ulong high) = WordCache.Key(word, i, Math.Min(WordCache.LongestWord, word.Length - i));
            hash = (hash ^ WordCache.Hash(low, high)) * 0x9FB21C651E98DF25;
            hash ^= hash >> 29;
        }

        return hash;
    }

    /// <summary>Takes a word and its count.</summary>
    public delegate void WordAction(ReadOnlySpan<byte> word, long count);

    private struct ShortSlot
    {
        public ulong Low;
        public ulong High;
        public long Count;
        public int Length;
    }

    private struct LongSlot
    {
        public ulong Hash;
        public long Count;
        public int Start;
        public int Length;
    }
}
