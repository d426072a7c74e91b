namespace Tessera.Inference.Sampling;

/// <summary>
/// Draws numbers that depend only on a seed and how many were drawn before: its two numbers are its whole state, so
/// that a request keeps its own stream whatever else is in the batch (SplitMix64, Steele, Lea and Flood 2014).
/// </summary>
public record struct SeededDraws
{
    // The odd number nearest to 2^64 divided by the golden ratio, and SplitMix64's two multipliers.
    private const ulong Golden = 0x9E3779B97F4A7C15, First = 0xBF58476D1CE4E5B9, Second = 0x94D049BB133111EB;

    /// <summary>Starts the stream of a seed at its first number.</summary>
    public SeededDraws(ulong seed) => Seed = seed;

    /// <summary>Gets the seed.</summary>
    public ulong Seed { get; init; }

    /// <summary>Gets how many numbers have been drawn.</summary>
    public ulong Position { get; set; }

    /// <summary>
    /// Returns the stream of one of several answers to the same request; answer 0 has the seed's own.
    /// </summary>
    public readonly SeededDraws Fork(ulong index) => index == 0 ? this : new(Mix(Seed + Mix(index)));

    /// <summary>Draws the next number in [0, 1), a multiple of 2^-53.</summary>
    public double NextUnit()
    {
        Position++;

        // The seed is mixed first: streams of neighbouring seeds would otherwise be one stream, shifted.
        return (Mix(Mix(Seed) + (Position * Golden)) >> 11) * (1.0 / (1UL << 53));
    }

    private static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * First;
        x = (x ^ (x >> 27)) * Second;
        return x ^ (x >> 31);
    }
}
