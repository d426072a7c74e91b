using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

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

    /// <summary>
    /// Reads the first <paramref name="count"/> of 16 elements (1 to 15), touching no other; the rest are
    /// <paramref name="fill"/>. Inlined without calls where the processor has masks: a call in a loop, even one that is
    /// seldom made, costs all its vector registers.
    /// </summary>
    static abstract Vector512<float> LoadPart(void* p, long i, int count, float fill);

    /// <summary>Writes the first <paramref name="count"/> of 16 elements (1 to 15), touching no other.</summary>
    static abstract void StorePart(void* p, long i, int count, Vector512<float> value);
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
    public static Vector512<float> LoadPart(void* p, long i, int count, float fill) => Avx512F.IsSupported
        ? Avx512F.MaskLoad((float*)p + i, VectorMath.FirstLanes(count), Vector512.Create(fill))
        : LoadOneByOne((float*)p + i, count, fill);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePart(void* p, long i, int count, Vector512<float> value)
    {
        if (Avx512F.IsSupported)
        {
            Avx512F.MaskStore((float*)p + i, VectorMath.FirstLanes(count), value);
        }
        else
        {
            StoreOneByOne((float*)p + i, count, value);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Vector512<float> LoadOneByOne(float* from, int count, float fill)
    {
        Vector512<float> lanes = Vector512.Create(fill);
        new ReadOnlySpan<float>(from, count).CopyTo(new Span<float>(&lanes, IElement.Lanes));
        return lanes;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void StoreOneByOne(float* to, int count, Vector512<float> value) =>
        new ReadOnlySpan<float>(&value, count).CopyTo(new Span<float>(to, count));
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
    public static Vector512<float> LoadPart(void* p, long i, int count, float fill)
    {
        if (!Avx512BW.VL.IsSupported)
        {
            return LoadOneByOne((BFloat16*)p + i, count, fill);
        }

        Vector256<ushort> narrow = Avx512BW.VL.MaskLoad((ushort*)p + i, FirstWords(count), Vector256<ushort>.Zero);
        Vector512<float> lanes = (Avx512F.ConvertToVector512UInt32(narrow) << 16).AsSingle();
        return Vector512.ConditionalSelect(VectorMath.FirstLanes(count), lanes, Vector512.Create(fill));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePart(void* p, long i, int count, Vector512<float> value)
    {
        if (Avx512BW.VL.IsSupported)
        {
            Vector256<ushort> narrow = Avx512F.ConvertToVector256UInt16(VectorMath.RoundToBFloat16(value) >>> 16);
            Avx512BW.VL.MaskStore((ushort*)p + i, FirstWords(count), narrow);
        }
        else
        {
            StoreOneByOne((BFloat16*)p + i, count, value);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ushort> FirstWords(int count) =>
        Vector256.LessThan(Vector256<ushort>.Indices, Vector256.Create((ushort)count));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Vector512<float> LoadOneByOne(BFloat16* from, int count, float fill)
    {
        Vector512<float> lanes = Vector512.Create(fill);
        for (int lane = 0; lane < count; lane++)
        {
            ((float*)&lanes)[lane] = from[lane];
        }

        return lanes;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void StoreOneByOne(BFloat16* to, int count, Vector512<float> value)
    {
        for (int lane = 0; lane < count; lane++)
        {
            to[lane] = (BFloat16)value[lane];
        }
    }
}
