namespace Tessera.Training.Recipes;

/// <summary>Names the arithmetic of matrix products; sums, masters and moments are always fp32.</summary>
public enum Precision
{
    /// <summary>fp32 throughout.</summary>
    Fp32,

    /// <summary>Factors in bf16, sums in fp32.</summary>
    Bf16,
}
