using Tessera.Tensors;

namespace Tessera.Training.Optimizers;

/// <summary>
/// Adam with decoupled weight decay (arXiv 1711.05101), in PyTorch's order: decay, moments, corrected step.
/// </summary>
public sealed class AdamW : Optimizer
{
    private readonly AdamWSettings _settings;
    private readonly List<Slot> _slots = [];

    /// <summary>Makes the optimizer; moments start at zero.</summary>
    /// <param name="parameters">The parameters that are trained; frozen ones are left out.</param>
    /// <param name="settings">Rates.</param>
    /// <param name="decays">Which parameters decay; null: those of at least two dimensions.</param>
    public AdamW(IEnumerable<Parameter> parameters, AdamWSettings settings, Func<Parameter, bool>? decays = null)
    {
        _settings = settings;
        foreach (Parameter parameter in parameters.Where(p => !p.Frozen))
        {
            bool decay = decays?.Invoke(parameter) ?? parameter.Shape.Rank >= 2;
            _slots.Add(new Slot(
                parameter, Tensor.Allocate(parameter.Shape, DType.F32), Tensor.Allocate(parameter.Shape, DType.F32),
                decay));
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<(string Name, Tensor Value)> State => _slots.SelectMany(
        slot => new[] { ($"{slot.Parameter.Name}.first", slot.First), ($"{slot.Parameter.Name}.second", slot.Second) });

    /// <inheritdoc/>
    protected override void Update(double schedule, double gradientScale)
    {
        double rate = _settings.LearningRate * schedule;
        AdamWUpdate update = new(
            _settings.Beta1,
            _settings.Beta2,
            _settings.Epsilon,
            rate / (1 - Math.Pow(_settings.Beta1, Steps)),
            1 / Math.Sqrt(1 - Math.Pow(_settings.Beta2, Steps)),
            0,
            gradientScale);
        foreach (Slot slot in _slots)
        {
            if (slot.Parameter.Gradient is not null)
            {
                Ops.AdamWUpdate(
                    slot.Parameter, slot.First, slot.Second,
                    update with { Decay = slot.Decays ? rate * _settings.WeightDecay : 0 });
            }
        }
    }

    private sealed record Slot(Parameter Parameter, Tensor First, Tensor Second, bool Decays);
}
