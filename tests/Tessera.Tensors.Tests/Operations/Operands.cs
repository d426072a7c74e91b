namespace Tessera.Tensors.Tests.Operations;

/// <summary>
/// The inputs of one run of an operation in one type. Values are drawn by name, are the same in every type, and can be
/// changed between runs.
/// </summary>
internal sealed class Operands(
    DType type, int rows, int columns, Dictionary<string, double[]> values, string? untracked = null)
{
    private readonly Dictionary<string, object> _inputs = [];

    public DType Type => type;

    /// <summary>Gets the rows of the shape under test.</summary>
    public int Rows => rows;

    /// <summary>Gets the columns of the shape under test.</summary>
    public int Columns => columns;

    /// <summary>Gets every input's gradient that the last backward pass has computed.</summary>
    public Dictionary<string, double[]?> Gradients => _inputs.ToDictionary(
        input => input.Key,
        input => ((input.Value as Tensor)?.Gradient ?? (input.Value as Parameter)?.Gradient) is { } gradient
            ? AttentionSample.Doubles(gradient)
            : null);

    /// <summary>Returns a tensor of the type that products are computed in.</summary>
    public Tensor Activations(string name, params ReadOnlySpan<int> sizes) => Input(name, new Shape(sizes), type);

    /// <summary>Returns a tensor of the residual stream, which is never rounded to BF16.</summary>
    public Tensor Stream(string name, params ReadOnlySpan<int> sizes) =>
        Input(name, new Shape(sizes), type == DType.F64 ? DType.F64 : DType.F32);

    /// <summary>Returns a matrix whose products are computed in the type, or a vector.</summary>
    public Parameter Parameter(string name, Shape shape, bool inputMajor = false)
    {
        if (!_inputs.TryGetValue(name, out object? input))
        {
            Tensor value = Tensor.Allocate(shape, type == DType.F64 ? DType.F64 : DType.F32);
            Fill(value, Values(name, shape));
            input = new Parameter(name, value)
            {
                ComputeType = type,
                InputMajor = inputMajor,
                Frozen = name == untracked,
            };
            _inputs.Add(name, input);
        }

        return (Parameter)input;
    }

    /// <summary>Returns numbers from 0 to below <paramref name="limit"/>.</summary>
    public int[] Integers(string name, int count, int limit)
    {
        Random random = new(SeedOf(name));
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(limit))];
    }

    /// <summary>Returns labels, the second of them masked.</summary>
    public int[] Labels(int count, int vocabulary)
    {
        int[] labels = Integers("labels", count, vocabulary);
        if (count > 1)
        {
            labels[1] = LossOptions.Masked;
        }

        return labels;
    }

    /// <summary>Returns values by their name, which are drawn when they are first asked for.</summary>
    public double[] Values(string name, Shape shape)
    {
        if (!values.TryGetValue(name, out double[]? found))
        {
            // bf16 numbers, so that they are the same operands in every type.
            Random random = new(SeedOf(name));
            found = new double[shape.Count];
            for (int i = 0; i < found.Length; i++)
            {
                found[i] = (BFloat16)(float)((random.NextDouble() * 4) - 2);
            }

            values.Add(name, found);
        }

        return found;
    }

    /// <summary>Rounds values to a tensor's type and writes them.</summary>
    public static void Fill(Tensor tensor, double[] values)
    {
        switch (tensor.DType)
        {
            case DType.F64: tensor.Fill<double>(values); break;
            case DType.F32: tensor.Fill<float>(Array.ConvertAll(values, x => (float)x)); break;
            default: tensor.Fill<BFloat16>(Array.ConvertAll(values, x => (BFloat16)(float)x)); break;
        }
    }

    private int SeedOf(string name) => name.Sum(c => c * 31) + (1000 * rows) + columns;

    private Tensor Input(string name, Shape shape, DType wanted)
    {
        if (!_inputs.TryGetValue(name, out object? input))
        {
            Tensor tensor = Tensor.Create(shape, wanted);
            Fill(tensor, Values(name, shape));
            tensor.Tracked = name != untracked;
            _inputs.Add(name, input = tensor);
        }

        return (Tensor)input;
    }
}
