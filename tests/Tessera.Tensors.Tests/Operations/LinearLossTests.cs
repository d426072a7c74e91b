using Tessera.Testing;
using Xunit;

namespace Tessera.Tensors.Tests.Operations;

public sealed class LinearLossTests
{
    public static TheoryData<DType, int> Cases()
    {
        TheoryData<DType, int> cases = [];
        foreach (int vocabulary in (int[])[1, 2, 15, 16, 17, 31, 33, 63, 65, 100, 257])
        {
            cases.Add(DType.F32, vocabulary);
            cases.Add(DType.BF16, vocabulary);
        }

        return cases;
    }

    // Σ upstream · log p is a cross-entropy with the upstream gradients as weights and -1 as scale.
    [Theory]
    [MemberData(nameof(Cases))]
    public void LogProbabilitiesTakeTheirGradientFromUpstream(DType type, int vocabulary)
    {
        Dictionary<string, double[]> values = [];
        Operation definition = new(
            o =>
            {
                TokenLosses losses = Ops.LinearCrossEntropy(X(o), W(o), o.Labels(5, o.Columns), Upstream(o), -1);
                return [losses.Loss, losses.LogProbabilities];
            },
            UpstreamIsOne: true);
        Operation fast = new(o => [Ops.LinearLogProbabilities(X(o), W(o), o.Labels(5, o.Columns))]);
        (double[][] wanted, Dictionary<string, double[]?> gradients) = definition.Run(
            new(DType.F64, 5, vocabulary, values));
        (double[][] actual, Dictionary<string, double[]?> found) = fast.Run(new(type, 5, vocabulary, values));

        // Logits are sums in F32 of exact products in both types; their gradient is rounded to BF16 once, and sums of
        // it cancel where a row has few logits.
        double limit = type == DType.F32 ? Limits.OpsSingleGradient : 1.0 / 128;
        Close.Within(wanted[1], actual[0], Limits.OpsSingle * Largest(wanted[1]), "log-probabilities");
        foreach (string input in (string[])["x", "w"])
        {
            Close.Within(gradients[input], found[input], limit * Largest(gradients[input]!), $"gradient of {input}");
        }

        static Tensor X(Operands o) => o.Activations("x", 5, 19);
        static Parameter W(Operands o) => o.Parameter("w", new(o.Columns, 19));
        static float[] Upstream(Operands o) =>
            Array.ConvertAll(o.Values("upstream 0", new(5)), upstream => (float)upstream);
    }

    // More logits than are held at a time: the same rows' losses bit for bit, and the same gradients, as with all of
    // them.
    [Fact]
    public void ChunksOfRowsChangeNothing()
    {
        const int Rows = 230, Vocabulary = 40_961;
        Dictionary<string, double[]> values = [];
        LossOptions options = new(LabelSmoothing: 0.1, ZLoss: 0.01);
        (double[][] wanted, Dictionary<string, double[]?> gradients) = Whole().Run(
            new(DType.F32, Rows, Vocabulary, values));
        (double[][] actual, Dictionary<string, double[]?> found) = Chunked().Run(
            new(DType.F32, Rows, Vocabulary, values));
        Assert.Equal(wanted[1], actual[1]);
        Assert.Equal(wanted[0], actual[0]);
        Assert.Equal(gradients["x"], found["x"]);
        Close.ToLargest(gradients["w"]!, found["w"]!, Limits.OpsSingleGradient, "gradient of w");

        Operation Whole() => new(
            o => Results(Ops.CrossEntropy(
                Ops.Linear(X(o), W(o)), o.Labels(Rows, Vocabulary), default, 0.1, options)),
            UpstreamIsOne: true);

        Operation Chunked() => new(
            o => Results(Ops.LinearCrossEntropy(X(o), W(o), o.Labels(Rows, Vocabulary), default, 0.1, options)),
            UpstreamIsOne: true);

        static Tensor[] Results(TokenLosses losses) => [losses.Loss, losses.LogProbabilities];
        static Tensor X(Operands o) => o.Activations("x", Rows, 5);
        static Parameter W(Operands o) => o.Parameter("w", new(Vocabulary, 5));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(17)]
    [InlineData(100)]
    public void WhatIsImpossibleHasProbabilityZero(int columns)
    {
        using TensorScope scope = TensorScope.Begin();
        float[] logits = [.. Enumerable.Repeat(float.NegativeInfinity, columns), 1.5f];
        Tensor x = Tensor.From<float>(new Shape(1, columns + 1), logits);
        float[] certain = [.. Enumerable.Repeat(0f, columns), 1f];
        Assert.Equal(certain, Ops.Softmax(x).ToArray<float>());
        TokenLosses losses = Ops.CrossEntropy(x, [columns], default, 1, new LossOptions(Entropies: true));
        Assert.Equal(0, losses.Loss.Span<float>()[0]);
        Assert.Equal(0, losses.Entropies!.Span<float>()[0]);
        Assert.Equal(float.PositiveInfinity, Ops.CrossEntropy(x, [0], default, 1).Loss.Span<float>()[0]);
        x.Span<float>()[columns] = float.NegativeInfinity;
        Assert.All(Ops.Softmax(x).ToArray<float>(), p => Assert.Equal(float.NaN, p));
    }

    [Fact]
    public void OptionsOutsideTheirRangesAreRefused()
    {
        foreach (double wrong in (double[])[-0.1, double.NaN, double.PositiveInfinity])
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => new LossOptions(LabelSmoothing: wrong));
            Assert.Throws<ArgumentOutOfRangeException>(() => new LossOptions(ZLoss: wrong));
            Assert.Throws<ArgumentOutOfRangeException>(() => LossOptions.Plain with { LabelSmoothing = wrong });
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => new LossOptions(LabelSmoothing: 1));
    }

    [Theory]
    [InlineData(DType.F64)]
    [InlineData(DType.F32)]
    public void AnImpossibleLogitBesideTheLabelsDoesNoHarm(DType type)
    {
        using TensorScope scope = TensorScope.Begin();
        Tensor x = Tensor.Create(new Shape(2, 3), type);
        Operands.Fill(x, [0, double.NegativeInfinity, 0, double.NegativeInfinity, 0, 0]);
        Tensor loss = Ops.CrossEntropy(x, [0, LossOptions.Masked], default, 1).Loss;
        Assert.Equal(Math.Log(2), AttentionSample.Doubles(loss)[0], 1e-7);
    }

    // The logits' steps are exact in F32; near 10,000 the logarithm of their sum, added to them, would not be.
    [Fact]
    public void LargeLogitsKeepTheDigitsOfTheirDifferences()
    {
        using TensorScope scope = TensorScope.Begin();
        double[] logits = [.. Enumerable.Range(0, 35).Select(i => 10_000 + (i * 0.125))], wanted = new double[35];
        Ops.SoftmaxReference<double>(logits, wanted, 35, logarithm: true);
        Tensor x = Tensor.Create(new Shape(1, 35), DType.F32);
        Operands.Fill(x, logits);
        Close.ToLargest(wanted, AttentionSample.Doubles(Ops.LogSoftmax(x)), Limits.OpsSingle, "log-softmax");
    }

    private static double Largest(double[] values) => Math.Max(0.1, values.Max(Math.Abs));
}
