using Tessera.Tensors;

namespace Tessera.Training.Optimizers;

/// <summary>
/// Muon (kellerjordan.github.io/posts/muon): the momentum of each hidden matrix, orthogonalised, is its step, scaled by
/// √max(1, outputs / inputs); everything else (embeddings, head, vectors) is AdamW's.
/// </summary>
public sealed class Muon : Optimizer
{
    private readonly MuonSettings _settings;
    private readonly DType _type;
    private readonly AdamW _rest;
    private readonly List<(Parameter Parameter, Tensor Momentum)> _slots = [];

    /// <summary>Makes the optimizer; moments start at zero.</summary>
    /// <param name="matrices">The hidden matrices.</param>
    /// <param name="rest">All other parameters.</param>
    /// <param name="settings">Muon's numbers.</param>
    /// <param name="restSettings">AdamW's numbers for the rest.</param>
    /// <param name="type">What the orthogonalisation is computed in: F32 or BF16.</param>
    public Muon(
        IEnumerable<Parameter> matrices, IEnumerable<Parameter> rest, MuonSettings settings, AdamWSettings restSettings,
        DType type = DType.F32)
    {
        _settings = settings;
        _type = type;
        _rest = new AdamW(rest, restSettings);
        _slots.AddRange(matrices.Where(p => !p.Frozen).Select(p => (p, Tensor.Allocate(p.Shape, DType.F32))));
    }

    /// <inheritdoc/>
    public override IEnumerable<(string Name, Tensor Value)> State =>
        _rest.State.Concat(_slots.Select(slot => ($"{slot.Parameter.Name}.momentum", slot.Momentum)));

    /// <inheritdoc/>
    protected override void Update(double schedule, double gradientScale)
    {
        _rest.Steps = Steps - 1;
        _rest.Step(schedule, gradientScale);
        foreach ((Parameter parameter, Tensor momentum) in _slots)
        {
            if (parameter.Gradient is { } gradient)
            {
                Move(parameter, gradient, momentum, _settings.LearningRate * schedule, gradientScale);
            }
        }
    }

    private void Move(Parameter parameter, Tensor gradient, Tensor momentum, double rate, double gradientScale)
    {
        using TensorScope scope = TensorScope.Begin();
        double mu = _settings.Momentum;
        Ops.ScaleAndAdd(gradient, (1 - mu) * gradientScale, momentum, mu);
        Tensor step = Tensor.Create(gradient.Shape, DType.F32);
        Ops.ScaleAndAdd(gradient, (1 - mu) * gradientScale, step, 0);
        Ops.ScaleAndAdd(momentum, mu, step, 1); // Nesterov's
        NewtonSchulz.Orthogonalise(step, _type);
        (int first, int second) = parameter.Shape;
        bool turned = parameter.InputMajor && !_settings.ShapesAsStored;
        double ratio = turned ? (double)second / first : (double)first / second;
        Ops.ScaleAndAdd(
            step, -rate * Math.Sqrt(Math.Max(1, ratio)), parameter.Value, 1 - (rate * _settings.WeightDecay));
        parameter.Changed();
    }
}
