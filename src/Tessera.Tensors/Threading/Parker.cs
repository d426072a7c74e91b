namespace Tessera.Tensors.Threading;

/// <summary>Lets one thread sleep until another wakes it, where the waker pays only if the sleeper sleeps.</summary>
#pragma warning disable CA1001 // its event lives as long as the worker threads: until the process ends
internal sealed class Parker
#pragma warning restore CA1001
{
    // A parallel region follows the last one within microseconds while a model runs; a thread that waits longer than
    // about 50 µs gives its core back. SpinWait(1) is about 40 ns on every processor (the runtime measures it).
    private const int Spins = 1250;

    private readonly AutoResetEvent _event = new(false);
    private int _sleeping;

    /// <summary>Waits until <paramref name="done"/> says so: first spinning, then asleep.</summary>
    public void WaitUntil<TCondition>(TCondition done)
        where TCondition : struct, IWaitCondition
    {
        for (int spin = 0; spin < Spins; spin++)
        {
            if (done.IsMet)
            {
                return;
            }

            Thread.SpinWait(1);
        }

        while (true)
        {
            // The exchange orders this flag before the look at the condition, as Wake orders the condition before the
            // flag: one of the two threads sees the other's write.
            Interlocked.Exchange(ref _sleeping, 1);
            if (done.IsMet && Interlocked.Exchange(ref _sleeping, 0) == 1)
            {
                return;
            }

            _event.WaitOne();
            if (done.IsMet)
            {
                return;
            }
        }
    }

    /// <summary>
    /// Wakes the thread if it sleeps; called after an interlocked write that made its condition true.
    /// </summary>
    public void Wake()
    {
        if (Volatile.Read(ref _sleeping) == 1 && Interlocked.Exchange(ref _sleeping, 0) == 1)
        {
            _event.Set();
        }
    }
}
