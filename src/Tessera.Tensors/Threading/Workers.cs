using System.Globalization;

namespace Tessera.Tensors.Threading;

/// <summary>Runs the items of a parallel region on the process's own few threads.</summary>
public static class Workers
{
    // More threads than this never helped kernels that share one memory bus, and each one costs a stack.
    private const int MostThreads = 64;

    private static WorkerTeam? _team;

    [ThreadStatic]
    private static int _limit; // 0: this thread has none

    /// <summary>
    /// Gets the number of threads, the caller's included: TESSERA_THREADS, or the processors, at most 64.
    /// </summary>
    /// <exception cref="InvalidOperationException">TESSERA_THREADS is no such number.</exception>
    public static int Count => Team.Count;

    // Made at the first use: a type's initializer would hide the error of a wrong TESSERA_THREADS.
    private static WorkerTeam Team => Volatile.Read(ref _team) ?? MakeTeam();

    /// <summary>
    /// Runs <c>body.Run(0)</c> to <c>body.Run(count - 1)</c>, each once, on the caller and on whichever workers are
    /// free, and returns when all are done. Items are claimed in rising order. A call from inside a body, or while
    /// another thread's call is under way, runs on its own thread alone. The first exception of a body drops the items
    /// not yet begun and reaches the caller. Allocates nothing.
    /// </summary>
    public static void Run<TBody>(int count, ref TBody body)
        where TBody : struct, IParallelBody
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        Team.Run(count, _limit == 0 ? MostThreads : _limit, ref body);
    }

    /// <summary>Limits the calls of this thread to so many threads (at least 1) until the result is disposed.</summary>
    public static ThreadLimit Limit(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        ThreadLimit limit = new(_limit);
        _limit = threads;
        return limit;
    }

    internal static void RestoreLimit(int limit) => _limit = limit;

    private static WorkerTeam MakeTeam()
    {
        WorkerTeam made = new(FindCount()); // starts no thread yet, so that one too many costs nothing
        return Interlocked.CompareExchange(ref _team, made, null) ?? made;
    }

    private static int FindCount()
    {
        string? wanted = Environment.GetEnvironmentVariable("TESSERA_THREADS");
        if (string.IsNullOrEmpty(wanted))
        {
            return Math.Min(Environment.ProcessorCount, MostThreads);
        }

        return int.TryParse(wanted, NumberStyles.None, CultureInfo.InvariantCulture, out int threads) && threads >= 1
            ? Math.Min(threads, MostThreads)
            : throw new InvalidOperationException(
                $"TESSERA_THREADS: '{wanted}' is not a whole number of at least 1");
    }
}
