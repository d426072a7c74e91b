namespace Tessera.Tensors.Quantization;

/// <summary>Expands quantised blocks into float32: the definition that kernels on blocks are held to.</summary>
public static class Dequantization
{
    private delegate void Expander(ReadOnlySpan<byte> block, Span<float> values);

    /// <summary>Expands whole blocks.</summary>
    /// <param name="blocks">The blocks, as ggml lays them out.</param>
    /// <param name="type">Their type.</param>
    /// <param name="values">Where the values go, <see cref="DTypes.BlockLength"/> for each block.</param>
    /// <exception cref="ArgumentException">The lengths don't belong together, or the type has no blocks.</exception>
    public static void ToSingle(ReadOnlySpan<byte> blocks, DType type, Span<float> values)
    {
        (int length, int bytes) = (type.BlockLength(), type.BlockBytes());
        Expander expand = Of(type);
        if (values.Length % length != 0 || blocks.Length != type.Bytes(values.Length))
        {
            throw new ArgumentException($"Dequantization: {blocks.Length} bytes of {type} for {values.Length} values");
        }

        for (int i = 0; i < values.Length / length; i++)
        {
            expand(blocks.Slice(i * bytes, bytes), values.Slice(i * length, length));
        }
    }

    private static Expander Of(DType type) => type switch
    {
        DType.Q4_0 => BlocksOf32.Q4_0,
        DType.Q4_1 => BlocksOf32.Q4_1,
        DType.Q5_0 => BlocksOf32.Q5_0,
        DType.Q5_1 => BlocksOf32.Q5_1,
        DType.Q8_0 => BlocksOf32.Q8_0,
        DType.IQ4_NL => BlocksOf32.Iq4Nl,
        DType.MXFP4 => BlocksOf32.MxFp4,
        DType.NVFP4 => BlocksOf32.NvFp4,
        DType.TQ1_0 => TernaryBlocks.Tq1_0,
        DType.TQ2_0 => TernaryBlocks.Tq2_0,
        DType.Q2_K => BlocksOf256.Q2_K,
        DType.Q3_K => BlocksOf256.Q3_K,
        DType.Q4_K => BlocksOf256.Q4_K,
        DType.Q5_K => BlocksOf256.Q5_K,
        DType.Q6_K => BlocksOf256.Q6_K,
        DType.IQ4_XS => BlocksOf256.Iq4Xs,
        DType.IQ1_S => GridBlocks.Iq1S,
        DType.IQ1_M => GridBlocks.Iq1M,
        DType.IQ2_XXS => GridBlocks.Iq2Xxs,
        DType.IQ2_XS => GridBlocks.Iq2Xs,
        DType.IQ2_S => GridBlocks.Iq2S,
        DType.IQ3_XXS => GridBlocks.Iq3Xxs,
        DType.IQ3_S => GridBlocks.Iq3S,
        _ => throw new ArgumentException($"Dequantization: {type} has no blocks"),
    };
}
