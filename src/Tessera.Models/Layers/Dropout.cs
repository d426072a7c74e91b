using Tessera.Tensors;

namespace Tessera.Models.Layers;

/// <summary>Says what is dropped in training; the default drops nothing.</summary>
/// <param name="probability">The share of elements dropped where a layer joins the residual stream, and of the
/// embedding.</param>
/// <param name="seed">The first step's; <see cref="Begin"/> takes another one for each step.</param>
public sealed class Dropout(double probability, ulong seed = 0)
{
    private ulong _seed = Mixed(seed);
    private ulong _calls;

    /// <summary>Gets what serving and evaluation use.</summary>
    public static Dropout None { get; } = new(0);

    /// <summary>Begins a step, whose choices follow from its seed alone.</summary>
    public void Begin(ulong seed) => (_seed, _calls) = (Mixed(seed), 0);

    /// <summary>Drops elements of a tensor.</summary>
    public Tensor Apply(Tensor x) => probability == 0 ? x : Ops.Dropout(x, probability, Next());

    /// <summary>
    /// Projects <paramref name="x"/>, drops, and adds to the residual stream; one product straight onto it where
    /// nothing is dropped.
    /// </summary>
    public Tensor Linear(Tensor x, Parameter weight, Parameter? bias, Tensor residual) => probability == 0
        ? Ops.Linear(x, weight, bias, residual)
        : Ops.Dropout(Ops.Linear(x, weight, bias), probability, Next(), residual);

    // Weyl's sequence: the calls of a step get seeds far apart.
    private ulong Next() => unchecked(_seed + (++_calls * 0x9E3779B97F4A7C15UL));

    // Neighbouring steps and micro-batches have neighbouring seeds, whose choices would be nearly the same, two by two:
    // SplitMix64's last step parts them.
    private static ulong Mixed(ulong seed)
    {
        ulong z = unchecked(seed + 0x9E3779B97F4A7C15UL);
        z = unchecked((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL);
        z = unchecked((z ^ (z >> 27)) * 0x94D049BB133111EBUL);
        return z ^ (z >> 31);
    }
}
