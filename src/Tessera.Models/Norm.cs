namespace Tessera.Models;

/// <summary>Names the kind of normalisation before each half of a layer and before the head.</summary>
public enum Norm
{
    /// <summary>Divides by the root of the mean square; a weight and no bias.</summary>
    Rms,

    /// <summary>Subtracts the mean and divides by the standard deviation; a weight and a bias.</summary>
    Layer,
}
