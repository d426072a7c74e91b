using Tessera.Inference.Sampling;
using Tessera.Models;
using Tessera.Models.Tokenizers;
using Tessera.Tensors;

namespace Tessera.Inference;

/// <summary>
/// Writes answers to several prompts at the same time, on a thread of its own: each step is one forward pass over a
/// token of each answer and slices of new prompts.
/// </summary>
public sealed class Engine : IDisposable
{
    private readonly ILanguageModel _model;
    private readonly EngineOptions _options;
    private readonly Tokenizer _tokenizer;
    private readonly Lock _gate = new();
    private readonly Queue<Sequence> _arrivals = new();
    private readonly AutoResetEvent _wake = new(false);
    private readonly Batch _batch = new();
    private readonly Scheduler _scheduler;
    private readonly SamplingWorkspace _workspace;
    private readonly Thread? _thread;
    private volatile bool _disposed;

    /// <summary>Starts an engine over a model, whose weights may go on changing between its steps.</summary>
    /// <param name="model">The model.</param>
    /// <param name="tokenizer">What makes text of the tokens that are drawn.</param>
    /// <param name="options">How much is done at once.</param>
    /// <exception cref="InsufficientMemoryException">There is no memory for the cache.</exception>
    public Engine(Transformer model, Tokenizer tokenizer, EngineOptions? options = null)
        : this(new TransformerModel(model), tokenizer, options ?? new EngineOptions())
    {
    }

    internal Engine(ILanguageModel model, Tokenizer tokenizer, EngineOptions options, bool ownThread = true)
    {
        (_model, _tokenizer, _options) = (model, tokenizer, options);
        _workspace = new SamplingWorkspace(model.VocabularySize);
        ContextLength = options.ContextFor(model.ContextLength);
        long positions = options.PositionsFor(model.ContextLength);
        BlockPool pool = new(
            checked((int)((positions + model.BlockPositions - 1) / model.BlockPositions)), model.BlockPositions);
        model.ReserveCache(pool.Blocks);
        _scheduler = new Scheduler(options, pool);
        if (ownThread)
        {
            _thread = new Thread(Run) { IsBackground = true, Name = "Tessera engine" };
            _thread.Start();
        }
    }

    /// <summary>Gets how many positions prompt and answer may have together.</summary>
    public int ContextLength { get; }

    /// <summary>Gets the number of tokens that the model knows.</summary>
    public int VocabularySize => _model.VocabularySize;

    /// <summary>Begins the answer to a request; it may have to wait for others.</summary>
    /// <exception cref="ContextLengthException">The prompt fills the context.</exception>
    /// <exception cref="ArgumentException">The prompt is empty or has a token that the model doesn't know.</exception>
    /// <exception cref="EngineBusyException">Too many requests wait.</exception>
    /// <exception cref="ObjectDisposedException">The engine was stopped.</exception>
    public Generation Generate(GenerationRequest request)
    {
        Check(request);
        Generation generation = new(_tokenizer, request);
        Sequence sequence = new(request, generation, ContextLength);
        lock (_gate)
        {
            // Under the lock: what came after the last look at the arrivals would wait for ever.
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_arrivals.Count + _scheduler.Unfinished >= _options.MaxConcurrent + _options.MaxWaiting)
            {
                throw new EngineBusyException(_options.MaxWaiting);
            }

            _arrivals.Enqueue(sequence);
            _wake.Set();
        }

        return generation;
    }

    /// <summary>Stops after the current step; answers that haven't ended fail.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            _wake.Set();
        }

        _thread?.Join();
        TakeArrivals();
        _scheduler.FailAll(new ObjectDisposedException(nameof(Engine)));
        _wake.Dispose();
        _model.Dispose();
    }

    /// <summary>
    /// Computes and draws the next token of each answer in progress; returns whether there was anything to do.
    /// </summary>
    internal bool Step()
    {
        TakeArrivals();
        _scheduler.Next(_batch);
        if (_batch.Segments.Count == 0)
        {
            return false;
        }

        using TensorScope step = TensorScope.Begin();
        Tensor logits = _model.Forward(_batch.Tokens, _batch.Segments); // (segments, V)
        for (int i = 0; i < _batch.Segments.Count; i++)
        {
            Sequence sequence = _batch.Sequences[i];
            if (sequence.Advance(_batch.Segments.Length(i)))
            {
                Draw(sequence, logits.Span<float>().Slice(i * _model.VocabularySize, _model.VocabularySize));
            }
        }

        return true;
    }

    private void Draw(Sequence sequence, ReadOnlySpan<float> logits)
    {
        bool ended = true;
        try
        {
            ended = sequence.Draw(logits, _workspace);
        }
        catch (InvalidOperationException error)
        {
            // Logits that are all NaN spoil this answer, not its neighbours.
            sequence.Generation.Fail(error);
        }

        if (ended)
        {
            _scheduler.Remove(sequence);
        }
    }

    private void TakeArrivals()
    {
        lock (_gate)
        {
            while (_arrivals.TryDequeue(out Sequence? sequence))
            {
                _scheduler.Add(sequence);
            }
        }
    }

    private void Run()
    {
        while (!_disposed)
        {
            try
            {
                if (!Step())
                {
                    _wake.WaitOne();
                }
            }
            catch (Exception error)
            {
                // The step's answers can't go on, but the engine can: the next request may be a smaller one.
                _scheduler.FailRunning(error);
            }
        }
    }

    private void Check(GenerationRequest request)
    {
        if (request.Prompt.Count == 0)
        {
            throw new ArgumentException("Generate: the prompt has no tokens; wanted at least one", nameof(request));
        }

        if (request.Prompt.Count >= ContextLength)
        {
            throw new ContextLengthException(request.Prompt.Count, ContextLength);
        }

        foreach (int token in request.Prompt)
        {
            if ((uint)token >= (uint)_model.VocabularySize)
            {
                throw new ArgumentException(
                    $"Generate: the prompt has token {token}; the model knows 0 to {_model.VocabularySize - 1}",
                    nameof(request));
            }
        }
    }
}
