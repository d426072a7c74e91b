namespace Tessera.Tensors;

/// <summary>Facts about the element types.</summary>
public static class DTypes
{
    /// <summary>Returns how many values a block holds; 1 where values stand alone.</summary>
    public static int BlockLength(this DType type) => type switch
    {
        <= DType.U8 => 1,
        DType.Q4_0 or DType.Q4_1 or DType.Q5_0 or DType.Q5_1 or DType.Q8_0 or DType.IQ4_NL or DType.MXFP4 => 32,
        DType.NVFP4 => 64,
        _ => 256,
    };

    /// <summary>Returns the bytes of a block; of one value where values stand alone.</summary>
    public static int BlockBytes(this DType type) => type switch
    {
        DType.Q4_0 or DType.IQ4_NL => 18,
        DType.Q4_1 => 20,
        DType.Q5_0 => 22,
        DType.Q5_1 => 24,
        DType.Q8_0 => 34,
        DType.Q2_K => 84,
        DType.Q3_K or DType.IQ3_S => 110,
        DType.Q4_K => 144,
        DType.Q5_K => 176,
        DType.Q6_K => 210,
        DType.IQ4_XS => 136,
        DType.MXFP4 => 17,
        DType.NVFP4 => 36,
        DType.TQ1_0 => 54,
        DType.TQ2_0 or DType.IQ2_XXS => 66,
        DType.IQ1_S => 50,
        DType.IQ1_M => 56,
        DType.IQ2_XS => 74,
        DType.IQ2_S => 82,
        DType.IQ3_XXS => 98,
        _ => type.Size(),
    };

    /// <summary>Returns the bytes of so many values, which must be whole blocks.</summary>
    public static long Bytes(this DType type, long count) => count % type.BlockLength() == 0
        ? count / type.BlockLength() * type.BlockBytes()
        : throw new ArgumentException($"DType: {count} values are no whole blocks of {type}'s {type.BlockLength()}");

    /// <summary>Returns whether values are stored in blocks.</summary>
    public static bool IsBlocks(this DType type) => type > DType.U8;

    /// <summary>Returns the size of one element in bytes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Elements are stored in blocks.</exception>
    public static int Size(this DType type) => type switch
    {
        DType.F32 or DType.I32 => 4,
        DType.BF16 or DType.F16 => 2,
        DType.F64 or DType.I64 => 8,
        DType.U8 => 1,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "DType: has no elements of its own"),
    };

    /// <summary>Returns whether the elements are floating-point numbers.</summary>
    public static bool IsFloat(this DType type) => type is DType.F64 or DType.F32 or DType.F16 or DType.BF16;

    /// <summary>
    /// Returns the element type that holds values of <typeparamref name="T"/>; <see cref="BFloat16"/> is BF16.
    /// </summary>
    /// <exception cref="NotSupportedException">No element type holds <typeparamref name="T"/>.</exception>
    public static DType Of<T>()
        where T : unmanaged
    {
        return typeof(T) == typeof(float) ? DType.F32
            : typeof(T) == typeof(BFloat16) ? DType.BF16
            : typeof(T) == typeof(Half) ? DType.F16
            : typeof(T) == typeof(double) ? DType.F64
            : typeof(T) == typeof(int) ? DType.I32
            : typeof(T) == typeof(long) ? DType.I64
            : typeof(T) == typeof(byte) ? DType.U8
            : throw new NotSupportedException($"DType: no element type holds {typeof(T).Name}");
    }
}
