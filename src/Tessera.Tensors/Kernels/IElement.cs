using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Tessera.Tensors.Kernels;

/// <summary>
/// How 16 neighbouring elements of a storage type become float32 lanes and go back. Row-wise kernels take it as a type
/// parameter, so that each is written once for F32 and BF16. .NET runs <see cref="Vector512"/> as pairs where a
/// processor has 256-bit vectors only, lane for lane the same arithmetic.
/// </summary>
internal unsafe interface IElement
{
    /// <summary>Gets the lanes handled at a time.</summary>
    const int Lanes = 16;

    /// <summary>Gets the stored size in bytes.</summary>
    static abstract int Size { get; }

    /// <summary>Reads 16 elements from index <paramref name="i"/> on.</summary>
    static abstract Vector512<float> Load(void* p, long i);

    /// <summary>Writes 16 elements from index <paramref name="i"/> on.</summary>
    static abstract void Store(void* p, long i, Vector512<float> value);

    /// <summary>Reads one element.</summary>
    static abstract float LoadOne(void* p, long i);

    /// <summary>Writes one element.</summary>
    static abstract void StoreOne(void* p, long i, float value);
}

/// <summary>Elements stored as float32.</summary>
internal readonly unsafe struct Single32 : IElement
{
    public static int Size => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(void* p, long i) => Vector512.Load((float*)p + i);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(void* p, long i, Vector512<float> value) => value.Store((float*)p + i);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float LoadOne(void* p, long i) => ((float*)p)[i];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreOne(void* p, long i, float value) => ((float*)p)[i] = value;
}

/// <summary>Elements stored as bfloat16.</summary>
internal readonly unsafe struct Brain16 : IElement
{
    public static int Size => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(void* p, long i) => VectorMath.LoadBFloat16((BFloat16*)p + i);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(void* p, long i, Vector512<float> value) =>
        VectorMath.StoreBFloat16(value, (BFloat16*)p + i);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float LoadOne(void* p, long i) => ((BFloat16*)p)[i];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreOne(void* p, long i, float value) => ((BFloat16*)p)[i] = (BFloat16)value;
}
