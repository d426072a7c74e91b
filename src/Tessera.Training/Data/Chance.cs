namespace Tessera.Training.Data;

/// <summary>Turns a seed and counters into numbers that look random and are the same everywhere.</summary>
public static class Chance
{
    /// <summary>Returns 64 well-mixed bits of two numbers (the finalizer of splitmix64, applied twice).</summary>
    public static ulong Mix(ulong seed, ulong value) =>
        Finish(Finish(seed + 0x9E3779B97F4A7C15) ^ (value + 0xD1B54A32D192ED03));

    /// <summary>
    /// Returns a number below <paramref name="limit"/>, each as likely as the others but for one part in 2^64.
    /// </summary>
    public static long Below(ulong bits, long limit) => (long)Math.BigMul(bits, (ulong)limit, out _);

    private static ulong Finish(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
