using Tessera.Models.Families;
using Tessera.Tensors;

namespace Tessera.Models;

/// <summary>
/// Holds a model's parameters, found by what they do; a family decides which there are and what they are called.
/// </summary>
public sealed class ParameterSet
{
    private readonly Dictionary<long, Parameter> _byKind = [];
    private readonly List<Parameter> _all = [];

    /// <summary>Makes the parameters of a model.</summary>
    /// <param name="config">The model.</param>
    /// <param name="value">Gives the values of each, in the sizes of its spec.</param>
    public ParameterSet(TransformerConfig config, Func<ParameterSpec, Tensor> value)
    {
        foreach (ParameterSpec spec in ModelFamily.Of(config.Family).Parameters(config.Validate()))
        {
            Tensor tensor = value(spec);
            if (tensor.Shape != spec.Shape)
            {
                throw new ArgumentException($"ParameterSet: {spec.Name} is {tensor.Shape}, {spec.Shape} is wanted");
            }

            Parameter parameter = new(spec.Name, tensor) { InputMajor = spec.InputMajor };
            _byKind.Add(Key(spec.Kind, spec.Layer), parameter);
            _all.Add(parameter);
        }
    }

    /// <summary>Gets all parameters, in the order of a checkpoint.</summary>
    public IReadOnlyList<Parameter> All => _all;

    /// <summary>Gets the parameter that does this in a layer (layer 0 for those outside the layers).</summary>
    /// <exception cref="KeyNotFoundException">The model has none.</exception>
    public Parameter this[ParameterKind kind, int layer = 0] =>
        Find(kind, layer) ?? throw new KeyNotFoundException($"ParameterSet: no {kind} in layer {layer}");

    /// <summary>
    /// Returns the parameter that does this in a layer, or null where the model has none, such as a bias.
    /// </summary>
    public Parameter? Find(ParameterKind kind, int layer = 0) =>
        _byKind.TryGetValue(Key(kind, layer), out Parameter? found) ? found : null;

    private static long Key(ParameterKind kind, int layer) => ((long)kind << 32) | (uint)layer;
}
