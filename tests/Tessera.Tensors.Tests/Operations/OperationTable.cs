namespace Tessera.Tensors.Tests.Operations;

/// <summary>
/// Every operation but attention, in every form that its options give it. Columns are the size that vectors run along.
/// </summary>
internal static class OperationTable
{
    // Large enough that gradients of short rows don't cancel to nothing.
    private const double Epsilon = 0.02;

    public static Dictionary<string, Operation> All { get; } = new([.. Softmaxes(), .. Losses(), .. Norms(),
        .. Activations(), .. Products(), .. Rotaries(), .. Others(), .. AfterNorms()]);

    private static IEnumerable<KeyValuePair<string, Operation>> Softmaxes()
    {
        yield return New("softmax", new(o => [Ops.Softmax(X(o))], InBFloat16: false));
        yield return New("log-softmax", new(o => [Ops.LogSoftmax(X(o))], InBFloat16: false));
    }

    private static IEnumerable<KeyValuePair<string, Operation>> Losses()
    {
        foreach ((string name, LossOptions options) in new (string, LossOptions)[]
        {
            ("plain", new()), ("smoothed", new(LabelSmoothing: 0.1)), ("z-loss", new(ZLoss: 0.01)),
            ("all", new(0.2, 0.02, Entropies: true)),
        })
        {
            yield return New($"cross-entropy, {name}", new(
                o => Results(Ops.CrossEntropy(X(o), o.Labels(o.Rows, o.Columns), Weights(o), 0.7, options)),
                InBFloat16: false));

            // The logits' gradient is rounded and that of x, which asks for it in its own type.
            yield return New($"linear cross-entropy, {name}", new(
                o => Results(Ops.LinearCrossEntropy(
                    o.Activations("x", o.Rows, 19), o.Parameter("w", new(o.Columns, 19)),
                    o.Labels(o.Rows, o.Columns), Weights(o), 0.7, options)),
                UpstreamIsOne: true, Roundings: 4));
        }
    }

    private static IEnumerable<KeyValuePair<string, Operation>> Norms()
    {
        yield return New("RMS norm", new(o => [Ops.RmsNorm(o.Stream("x", o.Rows, o.Columns), W(o), Epsilon)]));
        yield return New("RMS norm for products", new(
            o => [Ops.RmsNorm(o.Stream("x", o.Rows, o.Columns), W(o), Epsilon, type: o.Type)]));
        yield return New("RMS norm of products", new(o => [Ops.RmsNorm(X(o), W(o), Epsilon)]));
        yield return New("RMS norm of products, widened", new(
            o => [Ops.RmsNorm(X(o), W(o), Epsilon, type: o.Type == DType.F64 ? DType.F64 : DType.F32)]));
        yield return New("RMS norm, Gemma's", new(o => [Ops.RmsNorm(X(o), W(o), Epsilon, weightOffset: 1)]));
        yield return New("layer norm", new(
            o => [Ops.LayerNorm(o.Stream("x", o.Rows, o.Columns), W(o), B(o), Epsilon)]));
        yield return New("layer norm for products", new(
            o => [Ops.LayerNorm(o.Stream("x", o.Rows, o.Columns), W(o), B(o), Epsilon, o.Type)]));
        yield return New("layer norm of products", new(o => [Ops.LayerNorm(X(o), W(o), B(o), Epsilon)]));
        yield return New("layer norm of products, widened", new(
            o => [Ops.LayerNorm(X(o), W(o), B(o), Epsilon, o.Type == DType.F64 ? DType.F64 : DType.F32)]));
    }

    private static IEnumerable<KeyValuePair<string, Operation>> Activations()
    {
        foreach (ActivationFunction f in Enum.GetValues<ActivationFunction>())
        {
            yield return New($"{f}", new(o => [Ops.Activate(X(o), f)]));
            yield return New($"{f}, gated", new(
                o => [Ops.Gated(o.Activations("gate", o.Rows, o.Columns), X(o), f)]));
        }
    }

    // The columns are the inputs of some products, and the outputs of others.
    private static IEnumerable<KeyValuePair<string, Operation>> Products()
    {
        yield return New("linear", new(o => [Ops.Linear(X(o), o.Parameter("w", new(13, o.Columns)))]));
        yield return New("linear, input-major", new(
            o => [Ops.Linear(X(o), o.Parameter("w", new(o.Columns, 13), inputMajor: true))]));
        yield return New("linear with bias", new(
            o => [Ops.Linear(o.Activations("x", o.Rows, 13), o.Parameter("w", new(o.Columns, 13)), B(o))]));
        yield return New("linear, input-major with bias", new(
            o => [Ops.Linear(
                o.Activations("x", o.Rows, 13), o.Parameter("w", new(13, o.Columns), inputMajor: true), B(o))]));
        yield return New("linear onto a residual", new(
            o => [Ops.Linear(
                o.Activations("x", o.Rows, 13), o.Parameter("w", new(o.Columns, 13)), B(o),
                o.Stream("residual", o.Rows, o.Columns))]));
        yield return New("linear, widened", new(
            o => [Ops.Linear(
                X(o), o.Parameter("w", new(13, o.Columns)), type: o.Type == DType.F64 ? DType.F64 : DType.F32)]));
        yield return New("batched product over columns", new(
            o => [Ops.MatmulBatched(o.Stream("a", 2, o.Rows, o.Columns), o.Stream("b", 2, o.Columns, 5))],
            InBFloat16: false));
        yield return New("batched product to columns", new(
            o => [Ops.MatmulBatched(o.Stream("a", 2, o.Rows, 5), o.Stream("b", 2, 5, o.Columns))],
            InBFloat16: false));
    }

    private static IEnumerable<KeyValuePair<string, Operation>> Rotaries()
    {
        foreach (bool interleaved in (bool[])[false, true])
        {
            foreach (bool part in (bool[])[false, true])
            {
                foreach (bool norm in (bool[])[false, true])
                {
                    string name = $"rotary, {(interleaved ? "interleaved" : "halves")}"
                        + (part ? ", partial" : "") + (norm ? ", normed" : "");
                    yield return New(name, new(o => [Turn(o, interleaved, part, norm)], LeastColumns: 2));
                }
            }
        }

        static Tensor Turn(Operands o, bool interleaved, bool part, bool norm)
        {
            int dimensions = Math.Max(2, (part ? o.Columns / 2 : o.Columns) / 2 * 2);
            Rotary rotary = new(50, dimensions, positions: 9, interleaved);
            return Ops.RotaryEmbedding(
                o.Activations("x", o.Rows, 3, o.Columns), o.Integers("positions", o.Rows, 9), rotary,
                norm ? W(o) : null, Epsilon);
        }
    }

    private static IEnumerable<KeyValuePair<string, Operation>> Others()
    {
        yield return New("embedding", new(
            o => [Ops.Embedding(o.Parameter("table", new(4, o.Columns)), o.Integers("ids", o.Rows, 4))]));
        yield return New("split in three", new(o =>
        {
            (Tensor first, Tensor second, Tensor third) = Ops.SplitInThree(
                o.Activations("x", o.Rows, 3 * o.Columns));
            return [first, second, third];
        }));
        yield return New("split in three, of which one is used", new(
            o => [Ops.SplitInThree(o.Activations("x", o.Rows, 3 * o.Columns)).Second]));
        yield return New("sum", new(
            o => [Ops.Add(o.Stream("a", o.Rows, o.Columns), o.Stream("b", o.Rows, o.Columns))]));
        yield return New("sum with itself", new(
            o => [Ops.Add(o.Stream("a", o.Rows, o.Columns), o.Stream("a", o.Rows, o.Columns))]));
        yield return New("dropout", new(o => [Ops.Dropout(X(o), 0.3, 77)]));
        yield return New("dropout onto a residual", new(
            o => [Ops.Dropout(X(o), 0.3, ulong.MaxValue / 3, o.Stream("residual", o.Rows, o.Columns))]));
    }

    // A norm's result is BF16 and its gradient F32, since several products add to it: whatever reads it must know. A
    // loss's gradient is F32, and an activation reads BF16.
    private static IEnumerable<KeyValuePair<string, Operation>> AfterNorms()
    {
        yield return After("RMS norm of a norm", new(o => [Ops.RmsNorm(Normed(o), B(o), Epsilon)]));
        yield return After("layer norm of a norm", new(o => [Ops.LayerNorm(Normed(o), B(o), B(o), Epsilon)]));
        yield return After("SiLU of a norm", new(o => [Ops.Gated(X(o), Normed(o), ActivationFunction.Silu)]));
        yield return After("linear of a norm", new(o => [Ops.Linear(Normed(o), o.Parameter("w2", new(5, o.Columns)))]));
        yield return After("split of a norm", new(
            o => [Ops.SplitInThree(
                Ops.RmsNorm(o.Stream("x3", o.Rows, 3 * o.Columns), o.Parameter("w3", new(3 * o.Columns)), Epsilon,
                    type: o.Type)).Third]));
        yield return After("linear cross-entropy of an activation", new(
            o => [Ops.LinearCrossEntropy(
                Ops.Activate(o.Activations("x", o.Rows, 19), ActivationFunction.Silu),
                o.Parameter("head", new(19, o.Columns), inputMajor: true),
                o.Labels(o.Rows, o.Columns), default, 0.7).Loss],
            UpstreamIsOne: true));
        yield return After("dropout of a norm", new(o => [Ops.Dropout(Normed(o), 0.5, 3)]));
        yield return After("rotary of a norm", new(
            o => [Ops.RotaryEmbedding(
                Normed(o).View(o.Rows, 1, o.Columns), o.Integers("positions", o.Rows, 9), new Rotary(50, 2, 9))],
            LeastColumns: 2));

        // The second norm of two values can stretch what the first has rounded.
        static KeyValuePair<string, Operation> After(string name, Operation operation) =>
            New(name, operation with { Roundings = 8 });

        static Tensor Normed(Operands o) =>
            Ops.RmsNorm(o.Stream("stream", o.Rows, o.Columns), W(o), Epsilon, type: o.Type);
    }

    private static KeyValuePair<string, Operation> New(string name, Operation operation) => new(name, operation);

    private static Tensor X(Operands o) => o.Activations("x", o.Rows, o.Columns);

    private static Parameter W(Operands o) => o.Parameter("w", new(o.Columns));

    private static Parameter B(Operands o) => o.Parameter("b", new(o.Columns));

    private static float[] Weights(Operands o) =>
        Array.ConvertAll(o.Values("weights", new(o.Rows)), weight => (float)Math.Abs(weight));

    private static Tensor[] Results(TokenLosses losses) => losses.Entropies is { } entropies
        ? [losses.Loss, losses.LogProbabilities, entropies]
        : [losses.Loss, losses.LogProbabilities];
}
