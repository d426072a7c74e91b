namespace Tessera.Tensors;

/// <summary>Facts about the element types.</summary>
public static class DTypes
{
    /// <summary>Returns the size of one element in bytes.</summary>
    public static int Size(this DType type) => type switch
    {
        DType.F32 or DType.I32 => 4,
        DType.BF16 or DType.F16 => 2,
        DType.F64 or DType.I64 => 8,
        DType.U8 => 1,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "DType: unknown type"),
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
