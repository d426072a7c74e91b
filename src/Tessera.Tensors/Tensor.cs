using System.Runtime.CompilerServices;
using Tessera.Tensors.Memory;

namespace Tessera.Tensors;

/// <summary>
/// Holds a shape, an element type and a piece of contiguous memory that has an owner: a <see cref="TensorScope"/> (what
/// a step computes), a block of its own (parameters, states), or a mapped file (weights as they lie on disk).
/// </summary>
public sealed unsafe class Tensor
{
    private TensorScope? _scope;
    private object? _owner;
    private Tensor? _viewOf;
    private Tensor? _gradient;
    private DType _gradientType;
    private void* _data;

    internal Tensor()
    {
    }

    /// <summary>Gets the sizes of the dimensions.</summary>
    public Shape Shape { get; private set; }

    /// <summary>Gets the type of the elements.</summary>
    public DType DType { get; private set; }

    /// <summary>Gets the first element's address.</summary>
    /// <exception cref="InvalidOperationException">The tensor's scope has ended, or its file is closed.</exception>
    public void* Data
    {
        get
        {
            RequireAlive();
            return _data;
        }
    }

    /// <summary>Gets the gradient of the loss by this tensor: null until a backward pass has reached it.</summary>
    public Tensor? Gradient => _viewOf is { } parent
        ? parent.Gradient is { } whole ? ViewOf(whole) : null
        : _gradient;

    /// <summary>Gets whether a backward pass should compute a gradient for this tensor.</summary>
    public bool Tracked { get; internal set; }

    /// <summary>
    /// Gets or sets the type that the gradient is computed in: the tensor's own, unless the operation that made it
    /// knows that several others will add to it, which BF16 is too coarse for.
    /// </summary>
    internal DType GradientType
    {
        get => (_viewOf ?? this)._gradientType;
        set => (_viewOf ?? this)._gradientType = value;
    }

    /// <summary>Makes a tensor in the innermost scope of this thread; its content is not defined.</summary>
    public static Tensor Create(Shape shape, DType type) => TensorScope.Current.Create(shape, type);

    /// <summary>Makes a tensor in the innermost scope of this thread, all zero.</summary>
    public static Tensor Zeros(Shape shape, DType type)
    {
        Tensor tensor = Create(shape, type);
        tensor.Clear();
        return tensor;
    }

    /// <summary>Makes a tensor in the innermost scope of this thread with a copy of the values.</summary>
    public static Tensor From<T>(Shape shape, ReadOnlySpan<T> values)
        where T : unmanaged
    {
        Tensor tensor = Create(shape, DTypes.Of<T>());
        tensor.Fill(values);
        return tensor;
    }

    /// <summary>Makes a tensor with memory of its own, all zero, that lives until nothing refers to it.</summary>
    /// <exception cref="InsufficientMemoryException">The system has not got the memory.</exception>
    public static Tensor Allocate(Shape shape, DType type)
    {
        NativeBlock block = new(type.Bytes(shape.Count));
        Tensor tensor = new();
        tensor.Become(block.Pointer, shape, type, null, null);
        tensor._owner = block;
        tensor.Clear();
        return tensor;
    }

    /// <summary>Makes a tensor over memory that <paramref name="owner"/> keeps alive, such as a mapped file.</summary>
    public static Tensor Over(void* data, Shape shape, DType type, object owner)
    {
        Tensor tensor = new();
        tensor.Become(data, shape, type, null, null);
        tensor._owner = owner;
        return tensor;
    }

    /// <summary>
    /// Returns the elements in place. The span doesn't keep the memory: refer to the tensor, its scope or its model
    /// until the span was read.
    /// </summary>
    /// <exception cref="InvalidOperationException">The elements are not of type <typeparamref name="T"/>, or the
    /// tensor's scope has ended.</exception>
    public Span<T> Span<T>()
        where T : unmanaged
    {
        if (DTypes.Of<T>() != DType)
        {
            throw new InvalidOperationException($"Tensor: elements of {Shape} are {DType}, read as {typeof(T).Name}");
        }

        return new Span<T>(Data, checked((int)Shape.Count));
    }

    /// <summary>Returns a copy of the elements.</summary>
    /// <exception cref="InvalidOperationException">As for <see cref="Span{T}"/>.</exception>
    public T[] ToArray<T>()
        where T : unmanaged
    {
        T[] copy = Span<T>().ToArray();

        // The array's allocation can collect this tensor, if this was its last use, and free what is being copied.
        GC.KeepAlive(this);
        return copy;
    }

    /// <summary>Returns a tensor of another shape over the same elements and the same gradient.</summary>
    /// <exception cref="ArgumentException">The counts of elements differ.</exception>
    public Tensor View(Shape shape)
    {
        if (shape.Count != Shape.Count)
        {
            throw new ArgumentException($"View: {Shape} has {Shape.Count} elements, {shape} has {shape.Count}");
        }

        RequireAlive();
        Tensor root = _viewOf ?? this;
        if (_scope is null)
        {
            Tensor view = Over(Data, shape, DType, _owner ?? this);
            view._viewOf = root;
            view.Tracked = Tracked;
            return view;
        }

        Tensor inScope = TensorScope.Current.CreateView(root, shape);
        inScope.Tracked = Tracked;
        return inScope;
    }

    /// <summary>Returns a tensor of another shape over the same elements and the same gradient.</summary>
    public Tensor View(params ReadOnlySpan<int> sizes) => View(new Shape(sizes));

    /// <summary>Copies the values in.</summary>
    public void Fill<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        if (values.Length != Shape.Count)
        {
            throw new ArgumentException($"Tensor: {values.Length} values for {Shape}");
        }

        values.CopyTo(Span<T>());
    }

    /// <summary>Sets every element to zero.</summary>
    public void Clear()
    {
        byte* bytes = (byte*)Data;
        long left = DType.Bytes(Shape.Count);
        for (; left > 0; left -= int.MaxValue, bytes += int.MaxValue)
        {
            new Span<byte>(bytes, (int)Math.Min(left, int.MaxValue)).Clear();
        }
    }

    /// <summary>Returns the shape and type, as in <c>F32 (2,3)</c>.</summary>
    public override string ToString() => $"{DType} {Shape}";

    /// <summary>
    /// Returns the gradient for a node's backward pass to write: where <paramref name="accumulate"/> comes back true it
    /// holds what other uses of this tensor have contributed, and the node adds; else its content is not defined.
    /// </summary>
    internal Tensor GradientToWrite(out bool accumulate)
    {
        Tensor root = _viewOf ?? this;
        accumulate = root._gradient is not null;
        root._gradient ??= TensorScope.Current.Create(root.Shape, root.GradientType);
        return _viewOf is null ? root._gradient : Gradient!;
    }

    /// <summary>
    /// Makes <paramref name="gradient"/> this tensor's own: for operations that pass it through unchanged.
    /// </summary>
    internal void AdoptGradient(Tensor gradient) => (_viewOf ?? this)._gradient = gradient;

    /// <summary>Takes the gradient away, so that its memory can be adopted or recycled.</summary>
    internal Tensor? DetachGradient()
    {
        Tensor root = _viewOf ?? this;
        Tensor? gradient = root._gradient;
        root._gradient = null;
        return gradient;
    }

    /// <summary>Gives the memory back to its scope early, if it is a scope's and the scope is the innermost.</summary>
    internal void Recycle()
    {
        if (_scope is { } scope && _viewOf is null && _data is not null && scope == TensorScope.Current)
        {
            scope.Recycle(this);
        }
    }

    internal void Become(void* data, Shape shape, DType type, TensorScope? scope, Tensor? viewOf)
    {
        _data = data;
        Shape = shape;
        DType = type;
        _gradientType = type;
        _scope = scope;
        _viewOf = viewOf;
        _gradient = null;
        Tracked = false;
    }

    internal void Forget()
    {
        _data = null;
        _viewOf = null;
        _gradient = null;
    }

    // A view outlives gradients where it is a parameter's: what it keeps may be that of an earlier step.
    private Tensor ViewOf(Tensor whole) =>
        _gradient is { } kept && kept._data == whole.Data && kept.DType == whole.DType
            ? kept
            : _gradient = whole.View(Shape);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void RequireAlive()
    {
        if (_data is null)
        {
            throw new InvalidOperationException(
                $"Tensor: {this} is used after its scope has ended or its memory was recycled");
        }
    }
}
