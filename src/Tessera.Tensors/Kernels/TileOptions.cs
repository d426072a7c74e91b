namespace Tessera.Tensors.Kernels;

/// <summary>Says where a tile's sums begin and where they go.</summary>
[Flags]
public enum TileOptions
{
    /// <summary>Sums begin at zero and are stored into an fp32 C.</summary>
    None = 0,

    /// <summary>The finished sum is added to what C holds, once.</summary>
    Accumulate = 1,

    /// <summary>C is bf16: rounded to the nearest, ties to even.</summary>
    StoreBFloat16 = 2,

    /// <summary>Sums begin with what <see cref="TileArguments.Partial"/> holds.</summary>
    Resume = 4,

    /// <summary>Sums go to <see cref="TileArguments.Partial"/>; C and the bias are left alone.</summary>
    Suspend = 8,
}
