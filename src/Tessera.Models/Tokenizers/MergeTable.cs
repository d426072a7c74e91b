using System.Numerics;
using System.Runtime.CompilerServices;

namespace Tessera.Models.Tokenizers;

/// <summary>
/// Finds the rank of a pair of tokens, and what the pair becomes: an open-addressed table, at most half full.
/// </summary>
internal sealed class MergeTable
{
    /// <summary>The rank of a pair that is not merged; larger than any rank.</summary>
    public const int NoRank = int.MaxValue;

    private const ulong Empty = ulong.MaxValue;

    private readonly Entry[] _entries;
    private readonly int[] _products;
    private readonly int _shift;

    /// <summary>
    /// Builds the table of merges, the first one first; a pair that comes twice keeps its first rank.
    /// </summary>
    public MergeTable(IReadOnlyList<Merge> merges)
    {
        int bits = BitOperations.Log2(BitOperations.RoundUpToPowerOf2((uint)Math.Max(merges.Count, 8))) + 1;
        _shift = 64 - bits;
        _entries = new Entry[1 << bits];
        Array.Fill(_entries, new Entry(Empty, NoRank));
        _products = new int[merges.Count];
        for (int rank = 0; rank < merges.Count; rank++)
        {
            _products[rank] = merges[rank].Product;

            // A merge that is never done has no operands; the key of none is that of an empty slot.
            if (merges[rank].Left >= 0)
            {
                Add(Key(merges[rank].Left, merges[rank].Right), rank);
            }
        }
    }

    /// <summary>Returns the rank of a pair, or <see cref="NoRank"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Rank(int left, int right)
    {
        ulong key = Key(left, right);
        Entry[] entries = _entries;
        for (int slot = Home(key); ; slot++)
        {
            slot &= entries.Length - 1;
            ref readonly Entry entry = ref entries[slot];
            if (entry.Key == key || entry.Key == Empty)
            {
                return entry.Rank;
            }
        }
    }

    /// <summary>Returns the token that the pair of a rank becomes.</summary>
    public int Product(int rank) => _products[rank];

    private static ulong Key(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;

    private int Home(ulong key) => (int)((key * 0x9E3779B97F4A7C15) >> _shift);

    private void Add(ulong key, int rank)
    {
        int slot = Home(key);
        while (_entries[slot].Key != Empty && _entries[slot].Key != key)
        {
            slot = (slot + 1) & (_entries.Length - 1);
        }

        if (_entries[slot].Key == Empty)
        {
            _entries[slot] = new Entry(key, rank);
        }
    }

    private readonly record struct Entry(ulong Key, int Rank);
}
