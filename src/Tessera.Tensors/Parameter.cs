namespace Tessera.Tensors;

/// <summary>
/// A learned tensor: its master values, its gradient, and the forms that the kernels read, which are made anew after a
/// change. The engine that serves a model and the run that trains it read the same parameter.
/// </summary>
public sealed class Parameter
{
    private bool _gradientWritten;

    /// <summary>Makes a parameter over its values.</summary>
    /// <param name="name">The name in a checkpoint.</param>
    /// <param name="value">The master values: F32 where it is trained, BF16 where it is only served, F64 in tests.</param>
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

    /// <summary>Gets or sets the type that matrix products with this parameter are computed in: F32, BF16 (sums in F32) or F64.</summary>
    public DType ComputeType { get; set; }

    /// <summary>Gets or sets whether a matrix is stored (in, out), as GPT-2's are, and not (out, in).</summary>
    public bool InputMajor { get; init; }

    /// <summary>Gets or sets whether the parameter stays as it is: it then costs neither gradient nor memory for one.</summary>
    public bool Frozen { get; set; }

    /// <summary>Gets the gradient, of the master's shape in F32 (or F64); null until a backward pass has written it.</summary>
    public Tensor? Gradient { get; private set; }

    /// <summary>Gets a number that grows with every change of the values, by which derived forms know that they are old.</summary>
    public int Version { get; private set; }

    /// <summary>Says that the values were written to.</summary>
    public void Changed() => Version++;

    /// <summary>Lets the next backward pass overwrite the gradient and not add to it.</summary>
    public void ForgetGradient() => _gradientWritten = false;

    /// <summary>Returns the gradient for a node to write, or to add to where <paramref name="accumulate"/> comes back true.</summary>
    internal Tensor GradientToWrite(out bool accumulate)
    {
        Gradient ??= Tensor.Allocate(Shape, Value.DType == DType.F64 ? DType.F64 : DType.F32);
        accumulate = _gradientWritten;
        _gradientWritten = true;
        return Gradient;
    }
}
