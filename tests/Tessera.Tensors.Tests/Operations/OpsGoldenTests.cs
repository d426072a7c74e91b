using System.Text.Json;
using Tessera.Tensors.Files;
using Tessera.Testing;
using Xunit;

namespace Tessera.Tensors.Tests.Operations;

/// <summary>
/// Holds the operations to PyTorch's values and gradients (goldens/training/ops), the definitions in double and the
/// fast versions in float32.
/// </summary>
public sealed class OpsGoldenTests
{
    private static readonly string[] _names =
    [
        "softmax", "log_softmax", "cross_entropy", "cross_entropy_sum", "cross_entropy_smoothed", "cross_entropy_zloss",
        "rms_norm", "rms_norm_gemma", "rms_norm_tiny_input", "layer_norm", "gelu_exact", "gelu_tanh", "gelu_quick",
        "silu", "relu_squared", "silu_mul", "gelu_tanh_mul", "linear", "matmul_batched", "embedding", "rope_half",
        "rope_interleaved", "rope_half_partial",
        "rope_interleaved_partial",
    ];

    public static TheoryData<string, DType> Cases()
    {
        TheoryData<string, DType> cases = [];
        foreach (string name in _names)
        {
            cases.Add(name, DType.F64);
            cases.Add(name, DType.F32);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void MatchesPyTorch(string name, DType type)
    {
        using SafetensorsFile file = SafetensorsFile.Open(SharedFiles.Path("goldens/training/ops.safetensors"));
        using JsonDocument attributes = JsonDocument.Parse(
            File.ReadAllText(SharedFiles.Path("goldens/training/ops.json")));
        using TensorScope scope = TensorScope.Begin();
        using Tape tape = Tape.Start();
        OpsCase test = new(file, name, type);
        test.Check(tape, Run(test, name, attributes.RootElement.GetProperty(name)));
    }

    private static Tensor Run(OpsCase test, string name, JsonElement a) => name switch
    {
        "softmax" => Ops.Softmax(test.Input("x")),
        "log_softmax" => Ops.LogSoftmax(test.Input("x")),
        _ when name.StartsWith("cross_entropy", StringComparison.Ordinal) =>
            CrossEntropy(test, a, name == "cross_entropy_sum"),
        _ when name.StartsWith("rms_norm", StringComparison.Ordinal) =>
            Ops.RmsNorm(test.Input("x"), test.Parameter("w"), Number(a, "eps"), name == "rms_norm_gemma" ? 1 : 0),
        "layer_norm" => Ops.LayerNorm(test.Input("x"), test.Parameter("w"), test.Parameter("b"), Number(a, "eps")),
        "gelu_exact" => Ops.Activate(test.Input("x"), ActivationFunction.GeluExact),
        "gelu_tanh" => Ops.Activate(test.Input("x"), ActivationFunction.GeluTanh),
        "gelu_quick" => Ops.Activate(test.Input("x"), ActivationFunction.GeluQuick),
        "silu" => Ops.Activate(test.Input("x"), ActivationFunction.Silu),
        "relu_squared" => Ops.Activate(test.Input("x"), ActivationFunction.ReluSquared),
        "silu_mul" => Ops.Gated(test.Input("gate"), test.Input("up"), ActivationFunction.Silu),
        "gelu_tanh_mul" => Ops.Gated(test.Input("gate"), test.Input("up"), ActivationFunction.GeluTanh),
        "linear" => Ops.Linear(test.Input("x"), test.Parameter("w"), test.Parameter("b")),
        "matmul_batched" => Ops.MatmulBatched(test.Input("a"), test.Input("b")),
        "embedding" => Embedding(test),
        _ => Rope(test, a),
    };

    // The file says by the name alone that one case is a sum and not a mean.
    private static Tensor CrossEntropy(OpsCase test, JsonElement a, bool sum)
    {
        int[] labels = test.Integers("labels");
        LossOptions options = new(Number(a, "label_smoothing"), Number(a, "z"));
        return Ops.CrossEntropy(test.Input("logits"), labels, default, sum ? 1 : Ops.MeanScale(labels), options).Loss;
    }

    private static Tensor Embedding(OpsCase test)
    {
        Tensor y = Ops.Embedding(test.Parameter("w"), test.Integers("ids"));
        Shape ids = test.ShapeOf("ids");
        return y.View(ids[0], ids[1], y.Shape.Columns);
    }

    private static Tensor Rope(OpsCase test, JsonElement a)
    {
        int[] positions = test.Integers("positions");
        Rotary rotary = new(
            Number(a, "theta"), (int)Number(a, "rotary_dims"), positions.Max() + 1,
            a.GetProperty("interleaved").GetBoolean());
        Tensor x = test.Input("x");
        (int B, int T, int H, int D) = x.Shape;
        return Ops.RotaryEmbedding(x.View(B * T, H, D), positions, rotary).View(B, T, H, D);
    }

    private static double Number(JsonElement a, string attribute) =>
        a.TryGetProperty(attribute, out JsonElement value) ? value.GetDouble() : 0;
}
