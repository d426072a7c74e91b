namespace Tessera.Training.Data;

/// <summary>
/// Gives a shuffled order of the numbers below a count, by its seed, without a table: the place of any one is computed,
/// so that an order of any length costs no memory and is resumed by its position alone.
/// </summary>
/// <remarks>
/// A balanced Feistel network over the smallest even number of bits that holds the count, walked along its cycle until
/// it comes back below the count (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002).
/// </remarks>
public readonly struct Permutation
{
    private const int Rounds = 6;
    private readonly long _count;
    private readonly ulong _seed;
    private readonly int _halfBits;

    /// <summary>Makes the order that belongs to a seed.</summary>
    /// <param name="count">The number of things, at least 1.</param>
    /// <param name="seed">The seed; mix several numbers with <see cref="Chance.Mix(ulong, ulong)"/>.</param>
    public Permutation(long count, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        (_count, _seed) = (count, seed);
        int bits = 64 - System.Numerics.BitOperations.LeadingZeroCount((ulong)count - 1);
        _halfBits = Math.Max(1, (bits + 1) / 2);
    }

    /// <summary>Returns the thing that stands at a place.</summary>
    public long this[long place]
    {
        get
        {
            if ((ulong)place >= (ulong)_count)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(place), place, $"Permutation: the place is not below {_count}");
            }

            ulong value = (ulong)place;
            do
            {
                value = Encrypt(value);
            }
            while (value >= (ulong)_count);
            return (long)value;
        }
    }

    private ulong Encrypt(ulong value)
    {
        ulong mask = (1UL << _halfBits) - 1;
        ulong left = value >> _halfBits, right = value & mask;
        for (uint round = 0; round < Rounds; round++)
        {
            (left, right) = (right, left ^ (Chance.Mix(_seed + round, right) & mask));
        }

        return (left << _halfBits) | right;
    }
}
