namespace Tessera.Tensors.Kernels;

/// <summary>Says what a matrix product does beside multiplying.</summary>
public readonly unsafe struct MatmulOptions
{
    /// <summary>Gets whether the product is added to what C holds; each finished sum is added once.</summary>
    public bool Accumulate { get; init; }

    /// <summary>
    /// Gets whether F32 operands may be rounded to BF16 where the kernels multiply that (a gradient while it is
    /// packed).
    /// </summary>
    public bool RoundToBFloat16 { get; init; }

    /// <summary>Gets one value for each column of C that is added to the sums, or null.</summary>
    public float* Bias { get; init; }

    /// <summary>Gets the kernels to use; null: <see cref="KernelSet.Default"/>.</summary>
    public KernelSet? Kernels { get; init; }
}
