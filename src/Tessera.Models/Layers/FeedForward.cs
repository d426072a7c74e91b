using Tessera.Tensors;

namespace Tessera.Models.Layers;

/// <summary>
/// The feed-forward half of a layer: y = x + f(h · W_gate) · (h · W_up) · W_down, or y = x + f(h · W_up) · W_down.
/// </summary>
public sealed class FeedForward(TransformerConfig config, ParameterSet parameters, int layer)
{
    /// <summary>
    /// Adds the layer's output for the normed rows <paramref name="h"/> (N, C) to the residual stream
    /// <paramref name="x"/> (N, C).
    /// </summary>
    public Tensor Forward(Tensor h, Tensor x, Dropout dropout)
    {
        Tensor up = Ops.Linear(h, parameters[ParameterKind.Up, layer], parameters.Find(ParameterKind.UpBias, layer));
        return dropout.Linear(
            Activate(h, up), parameters[ParameterKind.Down, layer], parameters.Find(ParameterKind.DownBias, layer), x);
    }

    private Tensor Activate(Tensor h, Tensor up) => config.Activation switch
    {
        Activation.SwiGlu => Ops.Gated(Gate(h), up, ActivationFunction.Silu),
        Activation.GeGluTanh => Ops.Gated(Gate(h), up, ActivationFunction.GeluTanh),
        Activation.GeluTanh => Ops.Activate(up, ActivationFunction.GeluTanh),
        _ => Ops.Activate(up, ActivationFunction.GeluExact),
    };

    private Tensor Gate(Tensor h) =>
        Ops.Linear(h, parameters[ParameterKind.Gate, layer], parameters.Find(ParameterKind.GateBias, layer));
}
