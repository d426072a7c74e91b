using Tessera.Testing;
using Xunit;

namespace Tessera.Tensors.Tests.Operations;

/// <summary>
/// Holds every operation's definition to central differences, and every fast version to its definition, along every
/// tail of its vectors.
/// </summary>
public sealed class OperationTests
{
    private static readonly int[] _columns = [1, 2, 3, 15, 16, 17, 31, 33, 63, 65, 100, 257];

    public static TheoryData<string> Names => [.. OperationTable.All.Keys];

    public static TheoryData<string> NamesInBFloat16 =>
        [.. OperationTable.All.Where(o => o.Value.InBFloat16).Select(o => o.Key)];

    // The formula of five points: with a step of 1e-4 its own error and the rounding of doubles are both below 1e-9
    // for functions that bend as much as these. 1e-7 is the figure.
    [Theory]
    [MemberData(nameof(Names))]
    public void TheDefinitionsGradientEqualsCentralDifferences(string name)
    {
        const double Step = 1e-4;
        Operation operation = OperationTable.All[name];
        foreach ((int rows, int columns) in new[] { (3, operation.LeastColumns), (2, 5), (3, 4) })
        {
            Dictionary<string, double[]> values = [];
            Operands Of() => new(DType.F64, rows, columns, values);
            (_, Dictionary<string, double[]?> gradients) = operation.Run(Of());
            Assert.NotEmpty(gradients);
            foreach ((string input, double[]? gradient) in gradients)
            {
                for (int i = 0; i < values[input].Length; i++)
                {
                    double value = values[input][i];
                    double slope = (8 * (Loss(1) - Loss(-1))) - (Loss(2) - Loss(-2));
                    values[input][i] = value;
                    double wanted = slope / (12 * Step);
                    Assert.True(
                        Math.Abs(wanted - gradient![i]) <= 1e-7,
                        $"{rows} x {columns}: the gradient of {input}[{i}] is {gradient[i]:R}, not {wanted:R}");

                    double Loss(int steps)
                    {
                        values[input][i] = value + (steps * Step);
                        return operation.Loss(Of());
                    }
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void SingleIsWithinTheLimitsOfTheDefinition(string name) =>
        CompareAll(name, DType.F32, Limits.OpsSingle, Limits.OpsSingleGradient);

    [Theory]
    [MemberData(nameof(NamesInBFloat16))]
    public void BFloat16IsFewRoundingsFromTheDefinition(string name)
    {
        double limit = OperationTable.All[name].Roundings / 512.0;
        CompareAll(name, DType.BF16, limit, limit);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void GradientsAddToWhatIsThere(string name)
    {
        Operation operation = OperationTable.All[name];
        foreach (DType type in (DType[])[DType.F64, DType.F32, DType.BF16])
        {
            if (type == DType.BF16 && !operation.InBFloat16)
            {
                continue;
            }

            Dictionary<string, double[]> values = [];
            Dictionary<string, double[]?> once = operation.Run(new(type, 3, 17, values)).Gradients;
            Dictionary<string, double[]?> twice = operation.Run(new(type, 3, 17, values), uses: 2).Gradients;
            foreach ((string input, double[]? gradient) in once)
            {
                // Twice a number is exact; a sum that goes on from what is there rounds at other places.
                double limit = type == DType.F64 ? 1e-14 : Limits.OpsSingle;
                Close.ToLargest(Array.ConvertAll(gradient!, g => 2 * g), twice[input], limit, $"{input} in {type}");
            }
        }
    }

    // What is left out costs the others nothing: their bits stay.
    [Theory]
    [MemberData(nameof(Names))]
    public void AnInputCanBeLeftOut(string name)
    {
        Operation operation = OperationTable.All[name];
        foreach (DType type in (DType[])[DType.F64, DType.F32, DType.BF16])
        {
            if (type == DType.BF16 && !operation.InBFloat16)
            {
                continue;
            }

            Dictionary<string, double[]> values = [];
            Dictionary<string, double[]?> all = operation.Run(new(type, 3, 17, values)).Gradients;
            foreach (string left in all.Count > 1 ? all.Keys.ToArray() : [])
            {
                Dictionary<string, double[]?> others = operation.Run(new(type, 3, 17, values, left)).Gradients;
                Assert.Null(others[left]);
                Assert.All(others.Where(o => o.Key != left), other => Assert.Equal(all[other.Key], other.Value));
            }
        }
    }

    private static void CompareAll(string name, DType type, double limit, double gradientLimit)
    {
        Operation operation = OperationTable.All[name];
        foreach (int columns in _columns)
        {
            Compare(operation, type, 3, Math.Max(columns, operation.LeastColumns), limit, gradientLimit);
        }

        // Several items of work, the last of them short.
        Compare(operation, type, 331, 100, limit, gradientLimit);
        Compare(operation, type, 17, 2 * 1031, limit, gradientLimit);
    }

    private static void Compare(
        Operation operation, DType type, int rows, int columns, double limit, double gradientLimit)
    {
        Dictionary<string, double[]> values = [];
        (double[][] wanted, Dictionary<string, double[]?> gradients) = operation.Run(
            new(DType.F64, rows, columns, values));
        (double[][] actual, Dictionary<string, double[]?> fast) = operation.Run(new(type, rows, columns, values));
        for (int i = 0; i < wanted.Length; i++)
        {
            Close.Within(wanted[i], actual[i], limit * Largest(wanted[i]), $"result {i}, {rows} x {columns}");
        }

        foreach ((string input, double[]? gradient) in gradients)
        {
            Close.Within(
                gradient, fast[input], gradientLimit * Largest(gradient!), $"gradient of {input}, {rows} x {columns}");
        }
    }

    // Where terms cancel, errors are of the terms' size, which is some ones with these operands, and not of the rest's.
    private static double Largest(double[] values) => Math.Max(0.1, values.Max(Math.Abs));
}
