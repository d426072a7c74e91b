using Tessera.Tensors.Files;
using Tessera.Testing;

namespace Tessera.Tensors.Tests.Operations;

/// <summary>
/// One operation of goldens/training/ops: takes its inputs from the file in the type under test, and compares its
/// results and gradients with those of the file. Every size and value comes from there.
/// </summary>
internal sealed class OpsCase(SafetensorsFile file, string name, DType type)
{
    private readonly Dictionary<string, Func<Tensor?>> _gradients = [];

    private double Limit => type == DType.F64 ? Limits.OpsDouble : Limits.OpsSingle;

    private double GradientLimit => type == DType.F64 ? Limits.OpsDouble : Limits.OpsSingleGradient;

    public Shape ShapeOf(string input) => file[$"{name}.{input}"].Shape;

    /// <summary>Returns an input whose gradient is wanted.</summary>
    public Tensor Input(string input)
    {
        Tensor stored = file[$"{name}.{input}"];
        Tensor tensor = Tensor.Create(stored.Shape, type);
        Convert(stored, tensor);
        tensor.Tracked = true;
        _gradients.Add(input, () => tensor.Gradient);
        return tensor;
    }

    public Parameter Parameter(string input)
    {
        Tensor stored = file[$"{name}.{input}"];
        Tensor tensor = Tensor.Allocate(stored.Shape, type);
        Convert(stored, tensor);
        Parameter parameter = new(input, tensor);
        _gradients.Add(input, () => parameter.Gradient);
        return parameter;
    }

    public int[] Integers(string input) =>
        [.. file[$"{name}.{input}"].ToArray<long>().Select(v => checked((int)v))];

    /// <summary>
    /// Compares a result with the file's, runs the tape back from the file's upstream gradient, and compares every
    /// input's gradient.
    /// </summary>
    public void Check(Tape tape, Tensor result, string output = "y")
    {
        Tensor expected = file[$"{name}.{output}"];
        Close.ToLargest(expected.Span<double>(), AttentionSample.Doubles(result), Limit, $"{name}.{output} in {type}");
        if (file.TryGet($"{name}.d_{output}", out Tensor? upstream))
        {
            Tensor gradient = Tensor.Create(upstream.Shape, type);
            Convert(upstream, gradient);
            if (type == DType.F64)
            {
                Tape.SetGradient<double>(result, gradient.Span<double>());
            }
            else
            {
                Tape.SetGradient<float>(result, gradient.Span<float>());
            }

            tape.Backward();
        }
        else
        {
            tape.Backward(result);
        }

        foreach ((string input, Func<Tensor?> gradient) in _gradients)
        {
            Tensor wanted = file[$"{name}.d_{input}"];
            double[] actual = AttentionSample.Doubles(gradient()!);
            Close.ToLargest(wanted.Span<double>(), actual, GradientLimit, $"{name}.d_{input} in {type}");
        }
    }

    private static void Convert(Tensor from, Tensor to)
    {
        ReadOnlySpan<double> values = from.Span<double>();
        for (int i = 0; i < values.Length; i++)
        {
            if (to.DType == DType.F64)
            {
                to.Span<double>()[i] = values[i];
            }
            else
            {
                to.Span<float>()[i] = (float)values[i];
            }
        }
    }
}
