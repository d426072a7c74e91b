namespace Tessera.Tensors.Kernels;

/// <summary>Names the processor instructions that a set of kernels is made of.</summary>
public enum InstructionSet : byte
{
    /// <summary>Plain C# vectors, on any processor.</summary>
    Portable,

    /// <summary>AVX2 and FMA; bf16 is stored but computed in fp32.</summary>
    Avx2,

    /// <summary>AVX-512 F, BW, DQ and VL; bf16 is stored but computed in fp32.</summary>
    Avx512,

    /// <summary>AVX-512 with its BF16 instructions.</summary>
    Avx512BFloat16,
}
