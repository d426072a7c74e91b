using Tessera.Tensors;

namespace Tessera.Training.Optimizers;

/// <summary>
/// Gradient descent with momentum, PyTorch's form: the buffer isn't damped, weight decay is added to the gradient.
/// </summary>
public sealed class Sgd : Optimizer
{
    private readonly double _rate;
    private readonly double _momentum;
    private readonly bool _nesterov;
    private readonly double _weightDecay;
    private readonly List<(Parameter Parameter, Tensor Buffer)> _slots = [];

    /// <summary>Makes the optimizer; buffers start at zero.</summary>
    public Sgd(
        IEnumerable<Parameter> parameters, double rate, double momentum = 0, bool nesterov = false,
        double weightDecay = 0)
    {
        (_rate, _momentum, _nesterov, _weightDecay) = (rate, momentum, nesterov, weightDecay);
        _slots.AddRange(parameters.Where(p => !p.Frozen).Select(p => (p, Tensor.Allocate(p.Shape, DType.F32))));
    }

    /// <inheritdoc/>
    public override IEnumerable<(string Name, Tensor Value)> State =>
        _slots.Select(s => ($"{s.Parameter.Name}.momentum", s.Buffer));

    /// <inheritdoc/>
    protected override void Update(double schedule, double gradientScale)
    {
        foreach ((Parameter parameter, Tensor buffer) in _slots)
        {
            if (parameter.Gradient is not null)
            {
                Ops.SgdUpdate(parameter, buffer, _rate * schedule, _momentum, _nesterov, _weightDecay, gradientScale);
            }
        }
    }
}
