using System.Text.Json;
using Tessera.Models;
using Tessera.Tensors;
using Tessera.Tensors.Files;
using Tessera.Testing;
using Xunit;

namespace Tessera.Training.Tests;

/// <summary>
/// Holds the decoder's loss, logits and gradients to a float64 forward pass and PyTorch's autograd (goldens/training).
/// </summary>
public sealed class GoldenModelTests
{
    public static TheoryData<string> Models() => [.. TrainingGoldens.Models()];

    [Theory]
    [MemberData(nameof(Models))]
    public void LossAndLogits(string name)
    {
        using TrainingGoldens goldens = new();
        Transformer model = goldens.Load(name);
        using TensorScope scope = TensorScope.Begin();
        TrainingGoldens.Batch batch = goldens.Step(0);
        Tensor hidden = model.Forward(batch.Ids, batch.Segments);
        using SafetensorsFile file = TrainingGoldens.Gradients(name);
        Close.ToLargest(
            file["logits"].Span<double>(), Doubles(model.Logits(hidden)), Limits.OpsSingle, $"{name} logits");
        double expected = goldens.Model(name).GetProperty("loss_unmasked").GetDouble();
        Assert.Equal(expected, Loss(model, batch), Limits.TrainingLoss);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Gradients(string name)
    {
        using TrainingGoldens goldens = new();
        Transformer model = goldens.Load(name);
        JsonElement expected = goldens.Model(name);
        using SafetensorsFile file = TrainingGoldens.Gradients(name);
        (string Prefix, double Z, string Loss)[] forms = [("grad.", 0, "loss"), ("zgrad.", 1e-3, "loss_with_z_1e-3")];
        foreach ((string prefix, double z, string loss) in forms)
        {
            foreach (Parameter parameter in model.Parameters.All)
            {
                parameter.ForgetGradient();
            }

            using TensorScope scope = TensorScope.Begin();
            using Tape tape = Tape.Start();
            TrainingGoldens.Batch batch = goldens.Step(0, masked: true);
            Tensor value = model.Loss(
                batch.Ids, batch.Segments, batch.Labels, default, Ops.MeanScale(batch.Labels),
                new LossOptions(ZLoss: z)).Loss;
            Assert.Equal(expected.GetProperty(loss).GetDouble(), value.Span<float>()[0], Limits.TrainingLoss);
            tape.Backward(value);
            foreach (Parameter parameter in model.Parameters.All.Where(p => file.Contains(prefix + p.Name)))
            {
                Close.ToLargest(
                    file[prefix + parameter.Name].Span<double>(), Doubles(parameter.Gradient!), Limits.TrainingGradient,
                    $"{name} {prefix}{parameter.Name}");
            }
        }
    }

    private static double Loss(Transformer model, TrainingGoldens.Batch batch) => model.Loss(
        batch.Ids, batch.Segments, batch.Labels, default, Ops.MeanScale(batch.Labels)).Loss.Span<float>()[0];

    private static double[] Doubles(Tensor x) => [.. x.ToArray<float>().Select(v => (double)v)];
}
