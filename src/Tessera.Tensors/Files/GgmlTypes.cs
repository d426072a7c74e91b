namespace Tessera.Tensors.Files;

/// <summary>Ties the numbers that GGUF files give element types to ours.</summary>
internal static class GgmlTypes
{
    private static readonly (uint Number, DType Type)[] _types =
    [
        (0, DType.F32), (1, DType.F16), (2, DType.Q4_0), (3, DType.Q4_1), (6, DType.Q5_0), (7, DType.Q5_1),
        (8, DType.Q8_0), (10, DType.Q2_K), (11, DType.Q3_K), (12, DType.Q4_K), (13, DType.Q5_K), (14, DType.Q6_K),
        (16, DType.IQ2_XXS), (17, DType.IQ2_XS), (18, DType.IQ3_XXS), (19, DType.IQ1_S), (20, DType.IQ4_NL),
        (21, DType.IQ3_S), (22, DType.IQ2_S), (23, DType.IQ4_XS), (26, DType.I32), (27, DType.I64), (28, DType.F64),
        (29, DType.IQ1_M), (30, DType.BF16), (34, DType.TQ1_0), (35, DType.TQ2_0), (39, DType.MXFP4), (40, DType.NVFP4),
    ];

    /// <summary>Gets the types' names for a message.</summary>
    public static string Known => string.Join(", ", _types.Select(pair => pair.Type));

    /// <summary>Returns the type with a number, or null where it is not known.</summary>
    public static DType? Find(uint number)
    {
        foreach ((uint known, DType type) in _types)
        {
            if (known == number)
            {
                return type;
            }
        }

        return null;
    }
}
