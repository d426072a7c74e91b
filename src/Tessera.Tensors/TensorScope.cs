using Tessera.Tensors.Memory;

namespace Tessera.Tensors;

/// <summary>
/// Owns the tensors that are made while it is the innermost open scope of its thread, and frees them all at once.
/// Memory and tensor objects are reused, so that a step repeated with the same shapes allocates nothing.
/// </summary>
/// <remarks>A tensor must not be used after its scope has ended: its memory belongs to whoever comes next.</remarks>
public sealed unsafe class TensorScope : IDisposable
{
    [ThreadStatic]
    private static ThreadState? _thread;

    private readonly ThreadState _owner;
    private readonly Dictionary<long, Stack<nint>> _free = [];
    private TensorScope? _outer;
    private Arena.Mark _mark;
    private int _firstTensor;
    private bool _open;

    private TensorScope(ThreadState owner) => _owner = owner;

    /// <summary>Gets the innermost open scope of this thread.</summary>
    /// <exception cref="InvalidOperationException">No scope is open.</exception>
    internal static TensorScope Current => _thread?.Innermost ?? throw new InvalidOperationException(
        "TensorScope: no scope is open on this thread; put the work inside "
        + "'using TensorScope step = TensorScope.Begin();'");

    /// <summary>Opens a scope, which must be disposed on the same thread, inner scopes before outer ones.</summary>
    public static TensorScope Begin()
    {
        ThreadState state = _thread ??= new ThreadState();
        TensorScope scope = state.Spare.TryPop(out TensorScope? spare) ? spare : new TensorScope(state);
        scope._outer = state.Innermost;
        scope._mark = state.Arena.Position;
        scope._firstTensor = state.TensorsInUse;
        scope._open = true;
        state.Innermost = scope;
        return scope;
    }

    /// <summary>Frees every tensor that was made in this scope.</summary>
    /// <exception cref="InvalidOperationException">An inner scope is still open.</exception>
    public void Dispose()
    {
        if (!_open)
        {
            return;
        }

        if (_owner.Innermost != this)
        {
            throw new InvalidOperationException(
                "TensorScope: an inner scope is still open; dispose scopes in the reverse order");
        }

        for (int i = _firstTensor; i < _owner.TensorsInUse; i++)
        {
            _owner.Tensors[i].Forget();
        }

        foreach (Stack<nint> places in _free.Values)
        {
            places.Clear();
        }

        _owner.TensorsInUse = _firstTensor;
        _owner.Arena.ReturnTo(_mark);
        _owner.Innermost = _outer;
        _open = false;
        _owner.Spare.Push(this);
    }

    internal Tensor Create(Shape shape, DType type)
    {
        long bytes = Arena.Round(type.Bytes(shape.Count));
        void* data = _free.TryGetValue(bytes, out Stack<nint>? places) && places.TryPop(out nint place)
            ? (void*)place
            : _owner.Arena.Take(bytes);
        Tensor tensor = NextObject();
        tensor.Become(data, shape, type, this, null);
        return tensor;
    }

    internal Tensor CreateView(Tensor of, Shape shape)
    {
        Tensor view = NextObject();
        view.Become(of.Data, shape, of.DType, this, of);
        return view;
    }

    /// <summary>
    /// Takes back the memory of a tensor of this scope before the scope ends, for the next one of the same size.
    /// </summary>
    internal void Recycle(Tensor tensor)
    {
        long bytes = Arena.Round(tensor.DType.Bytes(tensor.Shape.Count));
        if (!_free.TryGetValue(bytes, out Stack<nint>? places))
        {
            _free.Add(bytes, places = new Stack<nint>());
        }

        places.Push((nint)tensor.Data);
        tensor.Forget();
    }

    private Tensor NextObject()
    {
        if (_owner.TensorsInUse == _owner.Tensors.Count)
        {
            _owner.Tensors.Add(new Tensor());
        }

        return _owner.Tensors[_owner.TensorsInUse++];
    }

    private sealed class ThreadState
    {
        public Arena Arena { get; } = new();

        public List<Tensor> Tensors { get; } = [];

        public Stack<TensorScope> Spare { get; } = new();

        public int TensorsInUse { get; set; }

        public TensorScope? Innermost { get; set; }
    }
}
