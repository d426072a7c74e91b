using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace Tessera.Testing;

/// <summary>
/// Feeds damaged files to a reader for a bounded time: it may refuse them with the errors that it documents, and must
/// neither fail otherwise, nor take long, nor allocate much more than the file's size.
/// </summary>
/// <remarks>
/// TESSERA_FUZZ_SECONDS lengthens the time of each; the damages are the same in the same order every time.
/// </remarks>
public static class Fuzz
{
    // A second is the promise; the rest is for a machine that is not free.
    private static readonly TimeSpan _longestCase = TimeSpan.FromSeconds(5);

    /// <summary>Runs a reader on damaged copies of a file.</summary>
    /// <param name="original">The undamaged file.</param>
    /// <param name="seed">Where the sequence of damages begins.</param>
    /// <param name="bytesAllowed">What one reading may allocate.</param>
    /// <param name="read">Reads the bytes; throws what it documents.</param>
    /// <param name="documented">Says whether an error is one of those.</param>
    /// <returns>How many copies were read, and how many of them were refused.</returns>
    public static (int Read, int Refused) Run(
        byte[] original, int seed, long bytesAllowed, Action<byte[]> read, Func<Exception, bool> documented)
    {
        string? given = Environment.GetEnvironmentVariable("TESSERA_FUZZ_SECONDS");
        TimeSpan budget = TimeSpan.FromSeconds(given is null ? 1.5 : double.Parse(given, CultureInfo.InvariantCulture));

        // What the runtime makes on the first call of each path is not the reader's.
        read(original);
        int tried = 0;
        int refused = 0;
        Task task = Task.Run(() =>
        {
            for (Stopwatch clock = Stopwatch.StartNew(); clock.Elapsed < budget; tried++)
            {
                refused += Try(Mutations.Mutate(original, seed + tried), seed + tried, bytesAllowed, read, documented);
            }
        });
        bool ended = Task.WaitAny([task], budget + TimeSpan.FromSeconds(30)) == 0;
        Assert.True(ended, $"seed {seed + tried}: the reader has not come back");
        task.GetAwaiter().GetResult();
        return (tried, refused);
    }

    private static int Try(
        byte[] damaged, int seed, long bytesAllowed, Action<byte[]> read, Func<Exception, bool> documented)
    {
        int refused = 0;
        long before = GC.GetAllocatedBytesForCurrentThread();
        long start = Stopwatch.GetTimestamp();
        try
        {
            read(damaged);
        }
        catch (Exception error) when (documented(error))
        {
            refused = 1;
        }
        catch (Exception error)
        {
            throw new InvalidOperationException($"seed {seed}: {error.GetType().Name} is no documented error", error);
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated <= bytesAllowed, $"seed {seed}: {allocated:N0} bytes allocated of {bytesAllowed:N0}");
        TimeSpan taken = Stopwatch.GetElapsedTime(start);
        Assert.True(taken < _longestCase, $"seed {seed}: took {taken.TotalSeconds:F2} s");
        return refused;
    }
}
