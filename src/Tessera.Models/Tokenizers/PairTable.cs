using System.Numerics;

namespace Tessera.Models.Tokenizers;

/// <summary>
/// Keeps, for each pair of tokens, its count and the words that it was seen in: an open-addressed table.
/// </summary>
internal sealed class PairTable
{
    /// <summary>Ends a list of words.</summary>
    public const int NoNode = -1;

    private const ulong Empty = ulong.MaxValue;

    private Entry[] _entries;
    private int _count;
    private int[] _nodeWords = new int[1 << 16];
    private int[] _nodeNext = new int[1 << 16];
    private int _nodeCount;

    /// <summary>Makes an empty table.</summary>
    public PairTable() => _entries = NewEntries(1 << 16);

    /// <summary>Returns a pair as one number; smaller pairs are smaller numbers.</summary>
    public static ulong Key(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;

    /// <summary>
    /// Returns the entry of a pair, new with a count of 0 where it had none; valid until the next call.
    /// </summary>
    public ref Entry this[ulong key]
    {
        get
        {
            if (2 * _count >= _entries.Length)
            {
                Grow();
            }

            ref Entry entry = ref Find(key);
            if (entry.Key == Empty)
            {
                _count++;
                entry.Key = key;
            }

            return ref entry;
        }
    }

    /// <summary>Notes that a pair is in a word; noted again at once, it is noted once.</summary>
    public void Note(ref Entry entry, int word)
    {
        if (entry.LastWord == word)
        {
            return;
        }

        if (_nodeCount == _nodeWords.Length)
        {
            Array.Resize(ref _nodeWords, 2 * _nodeCount);
            Array.Resize(ref _nodeNext, 2 * _nodeCount);
        }

        _nodeWords[_nodeCount] = word;
        _nodeNext[_nodeCount] = entry.FirstNode;
        entry.FirstNode = _nodeCount++;
        entry.LastWord = word;
    }

    /// <summary>Returns the word of a node of a pair's list, and the next node.</summary>
    public (int Word, int Next) Node(int node) => (_nodeWords[node], _nodeNext[node]);

    /// <summary>Returns all pairs with a count.</summary>
    public IEnumerable<(ulong Key, long Count)> Counts() =>
        _entries.Where(entry => entry.Key != Empty && entry.Count > 0).Select(entry => (entry.Key, entry.Count));

    private static Entry[] NewEntries(int size)
    {
        Entry[] entries = new Entry[size];
        Array.Fill(entries, new Entry { Key = Empty, FirstNode = NoNode, LastWord = -1 });
        return entries;
    }

    private ref Entry Find(ulong key)
    {
        int shift = BitOperations.LeadingZeroCount((ulong)(_entries.Length - 1));
        int index = (int)((key * 0x9E3779B97F4A7C15) >> shift);
        while (_entries[index].Key != key && _entries[index].Key != Empty)
        {
            index = (index + 1) & (_entries.Length - 1);
        }

        return ref _entries[index];
    }

    private void Grow()
    {
        Entry[] old = _entries;
        _entries = NewEntries(2 * old.Length);
        foreach (ref readonly Entry entry in old.AsSpan())
        {
            if (entry.Key != Empty)
            {
                Find(entry.Key) = entry;
            }
        }
    }

    /// <summary>Holds a pair's count and the start of the list of words that it was seen in.</summary>
    public struct Entry
    {
        /// <summary>The pair.</summary>
        public ulong Key;

        /// <summary>How often the pair stands in the text now.</summary>
        public long Count;

        /// <summary>The first node of the list of words.</summary>
        public int FirstNode;

        /// <summary>The word that was noted last.</summary>
        public int LastWord;

        /// <summary>The merge that raised the count last, so that each pair is offered once a merge.</summary>
        public int RaisedBy;
    }
}
