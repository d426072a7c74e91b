using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Tessera.Bench;

/// <summary>
/// Measures time as the wall shows it, or as this process was given it, which a busy machine disturbs less.
/// </summary>
internal static unsafe partial class Clock
{
    private const int ProcessProcessorTime = 2; // CLOCK_PROCESS_CPUTIME_ID of Linux, exact to the nanosecond

    /// <summary>
    /// Gets or sets whether times are the processor time of all threads, divided by their number (Linux only).
    /// </summary>
    public static bool UsesProcessorTime { get; set; }

    /// <summary>Returns seconds since some fixed moment, for work of so many threads.</summary>
    public static double Seconds(int threads)
    {
        if (!UsesProcessorTime)
        {
            return Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;
        }

        long* time = stackalloc long[2];
        return GetTime(ProcessProcessorTime, time) == 0
            ? (time[0] + (time[1] * 1e-9)) / threads
            : throw new PlatformNotSupportedException("processor time: clock_gettime failed");
    }

    /// <summary>Returns the same clock in the form that libraries are passed time in.</summary>
    public static TimeProvider Provider(int threads) => new SecondsProvider(threads);

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, long* time);

    private sealed class SecondsProvider(int threads) : TimeProvider
    {
        public override long TimestampFrequency => 1_000_000_000;

        public override long GetTimestamp() => (long)(Seconds(threads) * TimestampFrequency);
    }
}
