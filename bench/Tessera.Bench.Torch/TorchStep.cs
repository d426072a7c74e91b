using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Tessera.Bench.Torch;

/// <summary>
/// One training step as PyTorch's users write it, eagerly: forward, cross-entropy, backward, clipping at 1, AdamW. In
/// bfloat16 the products and attention run as autocast has them, from float32 parameters that the optimizer keeps.
/// </summary>
internal sealed class TorchStep
{
    private readonly TorchModel _model;
    private readonly TorchAdamW _optimizer;
    private readonly Tensor _ids;
    private readonly Tensor _labels;

    public TorchStep(StepShape shape, ScalarType type)
    {
        TorchThreads.Set();
        _model = new TorchModel(shape, type);
        _optimizer = new TorchAdamW(_model.Parameters, 1e-4);
        _ids = randint(shape.Config.VocabularySize, new long[] { shape.Batch, shape.Time });
        _labels = _ids.roll(-1).reshape(-1);
    }

    public void Run()
    {
        using DisposeScope scope = NewDisposeScope();
        foreach (Tensor parameter in _model.Parameters)
        {
            parameter.grad = null;
        }

        Tensor loss = cross_entropy(_model.Forward(_ids).to(ScalarType.Float32), _labels);
        loss.backward();
        Clip();
        _optimizer.Step();
    }

    private void Clip()
    {
        using IDisposable off = no_grad();
        Tensor[] squares = [.. _model.Parameters.Select(parameter => parameter.grad!.norm())];
        Tensor scale = (1.0 / (stack(squares).norm() + 1e-6)).clamp_max(1.0);
        foreach (Tensor parameter in _model.Parameters)
        {
            parameter.grad!.mul_(scale);
        }
    }
}
