using System.Diagnostics.CodeAnalysis;

namespace Tessera.Tensors;

/// <summary>
/// Names the type of a tensor's elements. Those with a name of ggml's are stored in blocks, whose values have no
/// address of their own.
/// </summary>
[SuppressMessage("Naming", "CA1707", Justification = "The names that files and people use.")]
public enum DType : byte
{
    /// <summary>IEEE 754 binary32.</summary>
    F32,

    /// <summary>bfloat16: the upper half of a binary32.</summary>
    BF16,

    /// <summary>IEEE 754 binary16; stored in files, never computed in.</summary>
    F16,

    /// <summary>IEEE 754 binary64; what the references are computed in.</summary>
    F64,

    /// <summary>32-bit signed integers: token ids, positions, labels.</summary>
    I32,

    /// <summary>64-bit signed integers, as other programs store ids.</summary>
    I64,

    /// <summary>Bytes.</summary>
    U8,

    /// <summary>ggml's 32 values of 4 bits with a scale.</summary>
    Q4_0,

    /// <summary>ggml's 32 values of 4 bits with a scale and a least value.</summary>
    Q4_1,

    /// <summary>ggml's 32 values of 5 bits with a scale.</summary>
    Q5_0,

    /// <summary>ggml's 32 values of 5 bits with a scale and a least value.</summary>
    Q5_1,

    /// <summary>ggml's 32 signed bytes with a scale.</summary>
    Q8_0,

    /// <summary>ggml's 256 values of 2 bits, 16 groups with scales and least values of 4 bits.</summary>
    Q2_K,

    /// <summary>ggml's 256 values of 3 bits, 16 groups with scales of 6 bits.</summary>
    Q3_K,

    /// <summary>ggml's 256 values of 4 bits, 8 groups with scales and least values of 6 bits.</summary>
    Q4_K,

    /// <summary>ggml's 256 values of 5 bits, 8 groups with scales and least values of 6 bits.</summary>
    Q5_K,

    /// <summary>ggml's 256 values of 6 bits, 16 groups with scales of 8 bits.</summary>
    Q6_K,

    /// <summary>ggml's 32 values of 4 bits that stand for the numbers of a table, with a scale.</summary>
    IQ4_NL,

    /// <summary>ggml's 256 values as in IQ4_NL, 8 groups with scales of 6 bits.</summary>
    IQ4_XS,

    /// <summary>32 numbers of 4 bits (E2M1) with a power of two (OCP Microscaling Formats 1.0).</summary>
    MXFP4,

    /// <summary>64 numbers of 4 bits (E2M1) with four scales of 8 bits (E4M3).</summary>
    NVFP4,

    /// <summary>ggml's 256 values of −1, 0 or 1, five in a byte, with a scale.</summary>
    TQ1_0,

    /// <summary>ggml's 256 values of −1, 0 or 1 in 2 bits, with a scale.</summary>
    TQ2_0,

    /// <summary>ggml's 256 values as rows of a table of 2,048, 8 groups with scales of 3 bits.</summary>
    IQ1_S,

    /// <summary>ggml's 256 values as in IQ1_S, 16 groups with scales of 3 bits.</summary>
    IQ1_M,

    /// <summary>ggml's 256 values as rows of a table of 256 with signs, 8 groups with scales of 4 bits.</summary>
    IQ2_XXS,

    /// <summary>ggml's 256 values as rows of a table of 512 with signs, 16 groups with scales of 4 bits.</summary>
    IQ2_XS,

    /// <summary>ggml's 256 values as rows of a table of 1,024 with signs, 16 groups with scales of 4 bits.</summary>
    IQ2_S,

    /// <summary>ggml's 256 values as rows of four of a table of 256, 8 groups with scales of 4 bits.</summary>
    IQ3_XXS,

    /// <summary>ggml's 256 values as rows of four of a table of 512, 8 groups with scales of 4 bits.</summary>
    IQ3_S,
}
