using Tessera.Tensors.Kernels;

namespace Tessera.Tensors;

/// <summary>
/// The operations that models are made of, one file each: formula, shapes, forward, definition (<c>…Reference</c>,
/// generic, so that it runs in double), gradient. F64 tensors are computed by the definitions; F32 and BF16 ones by the
/// fast versions.
/// </summary>
public static unsafe partial class Ops
{
    private static void RequireColumns(string operation, Tensor x, Parameter weight)
    {
        if (weight.Shape.Count != x.Shape.Columns)
        {
            throw new ArgumentException(
                $"{operation}: rows of {x} have {x.Shape.Columns} columns, {weight.Name} has {weight.Shape.Count}");
        }
    }

    private static NotSupportedException Unsupported(string operation, Tensor a, Tensor b) =>
        new($"{operation}: no kernel takes {a.DType} with {b.DType}");

    /// <summary>
    /// Returns a gradient that references add to: zeroed when nothing has been written yet; scratch when it isn't
    /// wanted.
    /// </summary>
    private static Span<double> GradientSum(Tensor of)
    {
        if (!of.Tracked)
        {
            return Tensor.Zeros(of.Shape, DType.F64).Span<double>();
        }

        Tensor gradient = of.GradientToWrite(out bool accumulate);
        if (!accumulate)
        {
            gradient.Clear();
        }

        return gradient.Span<double>();
    }

    private static Span<double> GradientSum(Parameter of)
    {
        if (of.Frozen)
        {
            return Tensor.Zeros(of.Shape, DType.F64).Span<double>();
        }

        Tensor gradient = of.GradientToWrite(out bool accumulate);
        if (!accumulate)
        {
            gradient.Clear();
        }

        return gradient.Span<double>();
    }

    /// <summary>Adds partial sums of a vector parameter's gradient, one row an item of work, in order.</summary>
    private static void AddPartials(Tensor? partials, Parameter parameter)
    {
        if (partials is null)
        {
            return;
        }

        Tensor gradient = parameter.GradientToWrite(out bool accumulate);
        SumOfPartials.Add(
            (float*)partials.Data, partials.Shape.Rows, partials.Shape.Columns, (float*)gradient.Data, accumulate);
        partials.Recycle();
    }
}
