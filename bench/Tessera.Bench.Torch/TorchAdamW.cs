using TorchSharp;
using static TorchSharp.torch;

namespace Tessera.Bench.Torch;

/// <summary>
/// AdamW in PyTorch's own operations, over pieces that stay in the cache from one operation to the next. TorchSharp has
/// no fused one, and its own goes through memory a dozen times: this is the fairer peer.
/// </summary>
internal sealed class TorchAdamW(IReadOnlyList<Tensor> parameters, double rate)
{
    private const long PieceSize = 1 << 17;
    private const double Beta1 = 0.9, Beta2 = 0.999, Epsilon = 1e-8, Decay = 0.01;

    private readonly Tensor[] _means = [.. parameters.Select(p => zeros_like(p).detach().view(-1))];
    private readonly Tensor[] _squares = [.. parameters.Select(p => zeros_like(p).detach().view(-1))];
    private int _steps;

    public void Step()
    {
        using IDisposable off = no_grad();
        _steps++;
        double correction = Math.Sqrt(1 - Math.Pow(Beta2, _steps));
        double step = rate / (1 - Math.Pow(Beta1, _steps));
        for (int i = 0; i < parameters.Count; i++)
        {
            Tensor values = parameters[i].detach().view(-1), gradients = parameters[i].grad!.view(-1);
            for (long start = 0; start < values.numel(); start += PieceSize)
            {
                using DisposeScope scope = NewDisposeScope();
                long end = Math.Min(start + PieceSize, values.numel());
                Tensor value = values.slice(0, start, end, 1), gradient = gradients.slice(0, start, end, 1);
                Tensor mean = _means[i].slice(0, start, end, 1), square = _squares[i].slice(0, start, end, 1);
                value.mul_(1 - (rate * Decay));
                mean.mul_(Beta1).add_(gradient, alpha: 1 - Beta1);
                square.mul_(Beta2).addcmul_(gradient, gradient, 1 - Beta2);
                value.addcdiv_(mean, square.sqrt().div_(correction).add_(Epsilon), -step);
            }
        }
    }
}
