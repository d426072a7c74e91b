namespace Tessera.Tensors.Tests.Operations;

/// <summary>One way of calling an operation, in any type and size.</summary>
/// <param name="Form">Takes its inputs from the operands, and gives the results.</param>
/// <param name="LeastColumns">The fewest columns that it can have.</param>
/// <param name="InBFloat16">Whether it is computed in BF16.</param>
/// <param name="UpstreamIsOne">Whether only 1 may arrive as the gradient of the result.</param>
/// <param name="Roundings">How many roundings to BF16, of 2^-9 each, a result or a gradient can be off by.</param>
internal sealed record Operation(
    Func<Operands, Tensor[]> Form, int LeastColumns = 1, bool InBFloat16 = true, bool UpstreamIsOne = false,
    int Roundings = 2)
{
    /// <summary>Runs forward and backward; used several times, the operation takes the same inputs each time.</summary>
    public (double[][] Results, Dictionary<string, double[]?> Gradients) Run(Operands operands, int uses = 1)
    {
        using TensorScope scope = TensorScope.Begin();
        using Tape tape = Tape.Start();
        double[][] results = [];
        for (int use = 0; use < uses; use++)
        {
            Tensor[] made = Form(operands);
            results = [.. made.Select(AttentionSample.Doubles)];
            for (int i = 0; i < made.Length; i++)
            {
                if (made[i].Tracked)
                {
                    SetUpstream(made[i], Upstream(operands, i, made[i].Shape));
                }
            }
        }

        tape.Backward();
        return (results, operands.Gradients);
    }

    /// <summary>Returns Σ result · upstream over the results that have a gradient.</summary>
    public double Loss(Operands operands)
    {
        using TensorScope scope = TensorScope.Begin();
        using Tape tape = Tape.Start();
        double sum = 0;
        Tensor[] made = Form(operands);
        for (int i = 0; i < made.Length; i++)
        {
            if (made[i].Tracked)
            {
                double[] upstream = Upstream(operands, i, made[i].Shape);
                sum += AttentionSample.Doubles(made[i]).Zip(upstream, (y, dy) => y * dy).Sum();
            }
        }

        return sum;
    }

    private static void SetUpstream(Tensor result, double[] upstream)
    {
        Tensor rounded = Tensor.Create(result.Shape, result.GradientType);
        Operands.Fill(rounded, upstream);
        switch (rounded.DType)
        {
            case DType.F64: Tape.SetGradient<double>(result, rounded.Span<double>()); break;
            case DType.F32: Tape.SetGradient<float>(result, rounded.Span<float>()); break;
            default: Tape.SetGradient<BFloat16>(result, rounded.Span<BFloat16>()); break;
        }
    }

    private double[] Upstream(Operands operands, int result, Shape shape) =>
        UpstreamIsOne ? [1] : operands.Values($"upstream {result}", shape);
}
