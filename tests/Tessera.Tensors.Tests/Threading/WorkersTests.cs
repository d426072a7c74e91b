using Tessera.Tensors.Threading;
using Tessera.Testing;
using Xunit;

namespace Tessera.Tensors.Tests.Threading;

public sealed class WorkersTests
{
    // More threads than processors on most machines: the claims then interleave in every way.
    private static readonly WorkerTeam _four = new(4);

    private struct CountEach(int[] hits) : IParallelBody
    {
        public readonly void Run(int index) => Interlocked.Increment(ref hits[index]);
    }

    private struct Sum(long[] slots) : IParallelBody
    {
        public readonly void Run(int index) => slots[index] += index + 1;
    }

    private struct ThrowAt(int where, int[] hits) : IParallelBody
    {
        public readonly void Run(int index)
        {
            Interlocked.Increment(ref hits[index]);
            if (index == where)
            {
                throw new InvalidOperationException($"item {index}");
            }
        }
    }

    private struct Nest(int[] hits, int[] threads) : IParallelBody
    {
        public readonly void Run(int index)
        {
            Own inner = new(hits, index * 8, threads);
            _four.Run(8, 64, ref inner);
        }

        private readonly struct Own(int[] hits, int from, int[] threads) : IParallelBody
        {
            public void Run(int index)
            {
                hits[from + index]++;
                threads[from + index] = Environment.CurrentManagedThreadId;
            }
        }
    }

    private struct NoteThread(int[] threads) : IParallelBody
    {
        public readonly void Run(int index) => threads[index] = Environment.CurrentManagedThreadId;
    }

    private struct Rendezvous(Barrier barrier) : IParallelBody
    {
        public readonly void Run(int index) =>
            Assert.True(barrier.SignalAndWait(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
    }

    private struct Tally : IParallelBody
    {
        public int Total;

        public void Run(int index) => Interlocked.Increment(ref Total);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(1000)]
    public void EveryItemRunsOnce(int count)
    {
        int[] hits = new int[count];
        CountEach body = new(hits);
        _four.Run(count, 64, ref body);
        Workers.Run(count, ref body);
        Assert.All(hits, h => Assert.Equal(2, h));
    }

    [Fact]
    public void ManyRegionsInARowLoseNothing()
    {
        long[] slots = new long[37];
        Sum body = new(slots);
        for (int region = 0; region < 20_000; region++)
        {
            _four.Run(1 + (region % 37), 64, ref body);
        }

        for (int i = 0; i < slots.Length; i++)
        {
            int regions = Enumerable.Range(0, 20_000).Count(r => 1 + (r % 37) > i);
            Assert.Equal((i + 1L) * regions, slots[i]);
        }
    }

    [Fact]
    public void TwoThreadsReallyWork()
    {
        // Both items wait for each other, so one thread alone would never pass.
        using Barrier barrier = new(2);
        Rendezvous body = new(barrier);
        new WorkerTeam(2).Run(2, 64, ref body);
        Assert.Equal(1, barrier.CurrentPhaseNumber);
    }

    [Fact]
    public void AParkedWorkerWakes()
    {
        WorkerTeam team = new(2);
        for (int region = 0; region < 5; region++)
        {
            using Barrier barrier = new(2);
            Rendezvous body = new(barrier);
            team.Run(2, 64, ref body);
            using ManualResetEventSlim never = new();
            never.Wait(5, TestContext.Current.CancellationToken); // far longer than a worker spins
        }
    }

    [Fact]
    public void WhatABodyWritesIntoItselfComesBack()
    {
        Tally body = default;
        _four.Run(500, 64, ref body);
        Assert.Equal(500, body.Total);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(99)]
    public void AnExceptionReachesTheCallerAndTheTeamGoesOn(int where)
    {
        int[] hits = new int[100];
        ThrowAt body = new(where, hits);
        InvalidOperationException thrown = Assert.Throws<InvalidOperationException>(() => _four.Run(100, 64, ref body));
        Assert.Equal($"item {where}", thrown.Message);
        Assert.All(hits, h => Assert.InRange(h, 0, 1));
        Assert.Equal(1, hits[where]);

        EveryItemRunsOnce(100);
    }

    [Fact]
    public void ANestedCallRunsOnItsOwnThread()
    {
        int[] hits = new int[64];
        int[] threads = new int[64];
        Nest body = new(hits, threads);
        _four.Run(8, 64, ref body);
        Assert.All(hits, h => Assert.Equal(1, h));
        for (int i = 0; i < 64; i++)
        {
            Assert.Equal(threads[i / 8 * 8], threads[i]);
        }
    }

    [Fact]
    public void TwoCallersAtOnceBothFinish()
    {
        using Barrier start = new(2);
        int[][] hits = [new int[50], new int[50]];
        Thread[] callers = [.. hits.Select(own => new Thread(() =>
        {
            start.SignalAndWait();
            CountEach body = new(own);
            for (int region = 0; region < 2000; region++)
            {
                _four.Run(own.Length, 64, ref body);
            }
        }))];
        Array.ForEach(callers, c => c.Start());
        Array.ForEach(callers, c => c.Join());
        Assert.All(hits.SelectMany(h => h), h => Assert.Equal(2000, h));
    }

    [Fact]
    public void ALimitOfOneStaysOnTheCaller()
    {
        int[] threads = new int[200];
        NoteThread body = new(threads);
        using (Workers.Limit(1))
        {
            using (Workers.Limit(2))
            {
                Workers.Run(threads.Length, ref body);
                Assert.InRange(threads.Distinct().Count(), 1, 2);
            }

            Workers.Run(threads.Length, ref body);
            Assert.Equal([Environment.CurrentManagedThreadId], threads.Distinct());
        }
    }

    [Fact]
    public void WrongArgumentsAreRefused()
    {
        Tally body = default;
        Assert.Throws<ArgumentOutOfRangeException>(() => Workers.Run(-1, ref body));
        Assert.Throws<ArgumentOutOfRangeException>(() => Workers.Limit(0));
    }

    [Fact]
    public void NothingIsAllocatedOnceWarm()
    {
        long[] slots = new long[16];
        Sum body = new(slots);
        _four.Run(16, 64, ref body);
        ThisThread.SleepOnce();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int region = 0; region < 1000; region++)
        {
            _four.Run(16, 64, ref body);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
