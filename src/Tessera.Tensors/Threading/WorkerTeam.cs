using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Tessera.Tensors.Threading;

/// <summary>
/// Holds the threads behind <see cref="Workers"/>. One region runs at a time. The caller publishes it in a ticket
/// (generation and number of unclaimed items in one word) and works too, so it never waits for a thread that has not
/// begun an item.
/// </summary>
internal sealed unsafe class WorkerTeam
{
    private readonly Worker[] _workers;
    private readonly Parker _caller = new();
    private Counters _counters;

    // The region under way. Written before its ticket and unchanged while any of its items is unclaimed or unfinished.
    private delegate*<void*, int, void> _run;
    private void* _body;
    private int _count;
    private int _limit;
    private int _busy;
    private bool _started;
    private Exception? _failure;

    public WorkerTeam(int threads)
    {
        _workers = new Worker[threads - 1];
        for (int i = 0; i < _workers.Length; i++)
        {
            _workers[i] = new Worker(this, i + 1);
        }
    }

    public int Count => _workers.Length + 1;

    public void Run<TBody>(int count, int limit, ref TBody body)
        where TBody : struct, IParallelBody
    {
        if (count <= 1 || limit <= 1 || _workers.Length == 0 || Interlocked.CompareExchange(ref _busy, 1, 0) != 0)
        {
            for (int i = 0; i < count; i++)
            {
                body.Run(i);
            }

            return;
        }

        // Other threads reach the body by address, and only the stack stays where it is.
        TBody copy = body;
        try
        {
            Publish(count, limit, &Invoke<TBody>, Unsafe.AsPointer(ref copy));
            Work(index: 0);
            _caller.WaitUntil(new Finished(this));
        }
        finally
        {
            body = copy;
        }

        Exception? failure = _failure;
        _failure = null;
        Volatile.Write(ref _busy, 0);
        if (failure is not null)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }

    private static void Invoke<TBody>(void* body, int index)
        where TBody : struct, IParallelBody => Unsafe.AsRef<TBody>(body).Run(index);

    private void Publish(int count, int limit, delegate*<void*, int, void> run, void* body)
    {
        if (!_started)
        {
            _started = true;
            foreach (Worker worker in _workers)
            {
                worker.Start();
            }
        }

        _run = run;
        _body = body;
        _count = count;
        _limit = limit;
        _counters.Finished = 0;
        long generation = (_counters.Ticket >> 32) + 1;
        Interlocked.Exchange(ref _counters.Ticket, (generation << 32) | (uint)count);

        int helpers = Math.Min(Math.Min(limit - 1, count - 1), _workers.Length);
        for (int i = 0; i < helpers; i++)
        {
            _workers[i].Parker.Wake();
        }
    }

    private bool HasWorkFor(int index) => (uint)Volatile.Read(ref _counters.Ticket) != 0 && index < _limit;

    /// <summary>Claims and runs items until none is left, then reports how many they were.</summary>
    private void Work(int index)
    {
        int finished = 0;
        while (true)
        {
            long ticket = Volatile.Read(ref _counters.Ticket);
            int left = (int)(uint)ticket;
            if (left == 0 || index >= _limit)
            {
                break;
            }

            // If the exchange succeeds then the ticket still had this item unclaimed, so the fields read here are its
            // region's.
            delegate*<void*, int, void> run = _run;
            void* body = _body;
            int item = _count - left;
            if (Interlocked.CompareExchange(ref _counters.Ticket, ticket - 1, ticket) != ticket)
            {
                continue;
            }

            finished++;
            try
            {
                run(body, item);
            }
#pragma warning disable CA1031 // whatever a body throws belongs to the caller of the region
            catch (Exception exception)
#pragma warning restore CA1031
            {
                Interlocked.CompareExchange(ref _failure, exception, null);
                finished += DropUnclaimed();
            }
        }

        // Added once for all: until then the region isn't finished, so its count still stands in the field.
        int count = _count;
        if (finished != 0 && Interlocked.Add(ref _counters.Finished, finished) == count && index != 0)
        {
            _caller.Wake();
        }
    }

    // The thrower's own item is unfinished, so the ticket belongs to its region.
    private int DropUnclaimed()
    {
        long ticket = Volatile.Read(ref _counters.Ticket);
        while (true)
        {
            long seen = Interlocked.CompareExchange(ref _counters.Ticket, ticket & ~0xFFFFFFFFL, ticket);
            if (seen == ticket)
            {
                return (int)(uint)ticket;
            }

            ticket = seen;
        }
    }

    private readonly struct Finished(WorkerTeam team) : IWaitCondition
    {
        public bool IsMet => Volatile.Read(ref team._counters.Finished) == team._count;
    }

    private readonly struct HasWork(WorkerTeam team, int index) : IWaitCondition
    {
        public bool IsMet => team.HasWorkFor(index);
    }

    // Each on a cache line of its own (128: processors fetch lines in pairs).
    [StructLayout(LayoutKind.Explicit, Size = 384)]
    private struct Counters
    {
        [FieldOffset(128)]
        public long Ticket;

        [FieldOffset(256)]
        public int Finished;
    }

    private sealed class Worker(WorkerTeam team, int index)
    {
        public Parker Parker { get; } = new();

        public void Start()
        {
            Thread thread = new(Loop) { IsBackground = true, Name = $"Tessera worker {index}" };
            thread.Start();
        }

        private void Loop()
        {
            while (true)
            {
                Parker.WaitUntil(new HasWork(team, index));
                team.Work(index);
            }
        }
    }
}
