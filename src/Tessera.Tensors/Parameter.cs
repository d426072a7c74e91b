using Tessera.Tensors.Kernels;

namespace Tessera.Tensors;

/// <summary>
/// A learned tensor: its master values, its gradient, and the forms that the kernels read, which are made anew after a
/// change. The engine that serves a model and the run that trains it read the same parameter.
/// </summary>
public sealed unsafe class Parameter
{
    private bool _gradientWritten;
    private Tensor? _banked;
    private bool _hasBanked;
    private PackedMatrix? _forwardPanels;
    private PackedMatrix? _backwardPanels;
    private int _forwardVersion;
    private int _backwardVersion;

    /// <summary>Makes a parameter over its values.</summary>
    /// <param name="name">The name in a checkpoint.</param>
    /// <param name="value">The master values: F32 where it is trained, BF16 where it is only served, F64 in
    /// tests.</param>
    public Parameter(string name, Tensor value)
    {
        Name = name;
        Value = value;
        ComputeType = value.DType == DType.F64 ? DType.F64 : DType.F32;
    }

    /// <summary>Gets the name in a checkpoint.</summary>
    public string Name { get; }

    /// <summary>Gets the master values. Call <see cref="Changed"/> after writing to them.</summary>
    public Tensor Value { get; }

    /// <summary>Gets the sizes.</summary>
    public Shape Shape => Value.Shape;

    /// <summary>
    /// Gets or sets the type that matrix products with this parameter are computed in: F32, BF16 (sums in F32) or F64.
    /// </summary>
    public DType ComputeType
    {
        get;
        set
        {
            if (field != value)
            {
                field = value;
                ForgetPanels();
            }
        }
    }

    /// <summary>Gets or sets whether a matrix is stored (in, out), as GPT-2's are, and not (out, in).</summary>
    public bool InputMajor { get; init; }

    /// <summary>
    /// Gets or sets whether the parameter stays as it is: it then costs neither gradient nor memory for one.
    /// </summary>
    public bool Frozen { get; set; }

    /// <summary>
    /// Gets the gradient, of the master's shape in F32 (or F64); null until a backward pass has written it.
    /// </summary>
    public Tensor? Gradient { get; private set; }

    /// <summary>
    /// Gets a number that grows with every change of the values, by which derived forms know that they are old.
    /// </summary>
    public int Version { get; private set; }

    /// <summary>
    /// Gets the F32 values' address: for vectors (scales, biases), which are kept in F32 even where matrices are not.
    /// </summary>
    /// <exception cref="InvalidOperationException">The values are of another type.</exception>
    internal float* Floats => Value.DType == DType.F32
        ? (float*)Value.Data
        : throw new InvalidOperationException($"{Name}: {Value} where F32 is wanted");

    /// <summary>Says that the values were written to.</summary>
    public void Changed() => Version++;

    /// <summary>Lets the next backward pass overwrite the gradient and not add to it.</summary>
    public void ForgetGradient() => (_gradientWritten, _hasBanked) = (false, false);

    /// <summary>
    /// Adds the gradient of a finished micro-batch to those banked before it and lets the next one start anew. Each is
    /// computed on its own and they are added in order, so that several processes, a micro-batch each, can give the
    /// same bits as one.
    /// </summary>
    public void BankGradient()
    {
        if (!_gradientWritten)
        {
            return;
        }

        if (_hasBanked)
        {
            Ops.ScaleAndAdd(Gradient!, 1, _banked!, 1);
        }
        else
        {
            (_banked, Gradient) = (Gradient, _banked);
        }

        (_hasBanked, _gradientWritten) = (true, false);
    }

    /// <summary>Makes the sum of the banked gradients the gradient.</summary>
    public void CollectGradient()
    {
        if (_hasBanked)
        {
            (_banked, Gradient) = (Gradient, _banked);
            (_hasBanked, _gradientWritten) = (false, true);
        }
    }

    /// <summary>Returns the matrix as the right operand of x · W (in × out), packed anew when it has changed.</summary>
    internal PackedMatrix ForwardPanels() => Panels(ref _forwardPanels, ref _forwardVersion, transposed: !InputMajor);

    /// <summary>
    /// Returns the matrix as the right operand of dy · Wᵀ (out × in), packed anew when it has changed.
    /// </summary>
    internal PackedMatrix BackwardPanels() => Panels(ref _backwardPanels, ref _backwardVersion, transposed: InputMajor);

    /// <summary>
    /// Returns the gradient for a node to write, or to add to where <paramref name="accumulate"/> comes back true.
    /// </summary>
    internal Tensor GradientToWrite(out bool accumulate)
    {
        Gradient ??= Tensor.Allocate(Shape, Value.DType == DType.F64 ? DType.F64 : DType.F32);
        accumulate = _gradientWritten;
        _gradientWritten = true;
        return Gradient;
    }

    private void ForgetPanels()
    {
        _forwardPanels?.Dispose();
        _backwardPanels?.Dispose();
        (_forwardPanels, _backwardPanels) = (null, null);
    }

    private PackedMatrix Panels(ref PackedMatrix? panels, ref int version, bool transposed)
    {
        if (panels is not null && version == Version)
        {
            return panels;
        }

        (int rows, int columns) = Shape;
        MatrixView view = new(Value.Data, Value.DType, rows, columns, columns);
        panels ??= new PackedMatrix();
        Matmul.Pack(transposed ? view.Transpose() : view, panels, roundToBFloat16: ComputeType == DType.BF16);
        version = Version;
        return panels;
    }
}
