namespace Tessera.Inference;

/// <summary>
/// Decides what the next step computes: a token for each answer in progress, and a slice of the first prompts that
/// aren't read yet. Requests start in the order in which they came, as soon as the cache has room for all they may
/// need.
/// </summary>
internal sealed class Scheduler(EngineOptions options, BlockPool pool)
{
    private readonly List<Sequence> _waiting = [];
    private readonly List<Sequence> _running = [];
    private volatile int _unfinished;

    /// <summary>Gets how many requests wait or run; any thread may ask.</summary>
    public int Unfinished => _unfinished;

    /// <summary>Adds a request at the end of the queue.</summary>
    public void Add(Sequence sequence)
    {
        _waiting.Add(sequence);
        Count();
    }

    /// <summary>Fills the batch of the next step, after letting go what was cancelled.</summary>
    public void Next(Batch batch)
    {
        DropCancelled(_waiting);
        DropCancelled(_running);
        Admit();
        batch.Clear();
        int prefill = options.PrefillChunk;
        foreach (Sequence sequence in _running)
        {
            bool reads = sequence.PromptLeft > 0;
            if (reads && prefill == 0)
            {
                continue;
            }

            ReadOnlySpan<int> tokens = sequence.Next(prefill);
            prefill -= reads ? tokens.Length : 0;
            batch.Add(sequence, tokens);
        }
    }

    /// <summary>Lets an answer go that has ended.</summary>
    public void Remove(Sequence sequence)
    {
        pool.Return(sequence.Blocks);
        _running.Remove(sequence);
        Count();
    }

    /// <summary>Fails everything, waiting or running.</summary>
    public void FailAll(Exception error)
    {
        FailRunning(error);
        foreach (Sequence sequence in _waiting)
        {
            sequence.Generation.Fail(error);
        }

        _waiting.Clear();
        Count();
    }

    /// <summary>Fails what is running; what waits may still go well.</summary>
    public void FailRunning(Exception error)
    {
        foreach (Sequence sequence in _running)
        {
            pool.Return(sequence.Blocks);
            sequence.Generation.Fail(error);
        }

        _running.Clear();
        Count();
    }

    private void DropCancelled(List<Sequence> sequences)
    {
        for (int i = sequences.Count - 1; i >= 0; i--)
        {
            Sequence sequence = sequences[i];
            if (sequence.Generation.IsCancelled)
            {
                sequences.RemoveAt(i);
                pool.Return(sequence.Blocks);
                sequence.Generation.Fail(new OperationCanceledException());
                Count();
            }
        }
    }

    private void Admit()
    {
        while (_waiting.Count > 0 && _running.Count < options.MaxConcurrent)
        {
            Sequence first = _waiting[0];
            int blocks = pool.BlocksFor(first.Positions);
            if (blocks > pool.Free)
            {
                // Nobody overtakes the first: it would starve behind many small requests.
                return;
            }

            first.Blocks = new int[blocks];
            pool.Take(first.Blocks);
            _waiting.RemoveAt(0);
            _running.Add(first);
        }
    }

    private void Count() => _unfinished = _waiting.Count + _running.Count;
}
