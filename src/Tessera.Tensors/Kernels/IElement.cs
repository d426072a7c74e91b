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
    public static Vector512<float> LoadPart(void* p, long i, int count, float fill)
    {
        float* from = (float*)p + i;
        if (Avx512F.IsSupported)
        {
            return Avx512F.MaskLoad(from, VectorMath.FirstLanes(count), Vector512.Create(fill));
        }

        if (!Avx2.IsSupported)
        {
            return LoadOneByOne(from, count, fill);
        }

        Vector256<float> low = HalfMask.First(count), high = HalfMask.First(count - HalfMask.Lanes);
        Vector256<float> lower = Avx.MaskLoad(from, low), upper = Avx.MaskLoad(from + HalfMask.Lanes, high);
        return fill == 0
            ? Vector512.Create(lower, upper)
            : Vector512.Create(
                Avx.BlendVariable(Vector256.Create(fill), lower, low),
                Avx.BlendVariable(Vector256.Create(fill), upper, high));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePart(void* p, long i, int count, Vector512<float> value)
    {
        if (Avx512F.IsSupported)
        {
            Avx512F.MaskStore((float*)p + i, VectorMath.FirstLanes(count), value);
        }
        else if (Avx2.IsSupported)
        {
            float* to = (float*)p + i;
            Avx.MaskStore(to, HalfMask.First(count), value.GetLower());
            Avx.MaskStore(to + HalfMask.Lanes, HalfMask.First(count - HalfMask.Lanes), value.GetUpper());
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
        ushort* from = (ushort*)p + i;
        Vector256<ushort> narrow;
        if (Avx512BW.VL.IsSupported)
        {
            narrow = Avx512BW.VL.MaskLoad(from, FirstWords(count), Vector256<ushort>.Zero);
        }
        else if (Avx2.IsSupported)
        {
            // Masks are of pairs there; the last word is read by itself, whether a pair holds it or not.
            Vector256<ushort> last =
                Vector256.Equals(Vector256<ushort>.Indices, Vector256.Create((ushort)(count - 1)))
                & Vector256.Create(from[count - 1]);
            narrow = Avx2.MaskLoad((int*)from, HalfMask.First(count / 2).AsInt32()).AsUInt16() | last;
        }
        else
        {
            return LoadOneByOne((BFloat16*)p + i, count, fill);
        }

        Vector512<float> lanes = VectorMath.WidenBFloat16(narrow);
        return fill == 0
            ? lanes
            : Vector512.ConditionalSelect(VectorMath.FirstLanes(count), lanes, Vector512.Create(fill));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePart(void* p, long i, int count, Vector512<float> value)
    {
        ushort* to = (ushort*)p + i;
        if (Avx512BW.VL.IsSupported)
        {
            Avx512BW.VL.MaskStore(to, FirstWords(count), VectorMath.NarrowToBFloat16(value));
        }
        else if (Avx2.IsSupported)
        {
            Vector256<int> pairs = VectorMath.NarrowToBFloat16(value).AsInt32();
            Avx2.MaskStore((int*)to, HalfMask.First(count / 2).AsInt32(), pairs);
            int last = Avx2.PermuteVar8x32(pairs, Vector256.Create((count - 1) / 2)).ToScalar();
            to[count - 1] = (ushort)(last >> (16 * ((count - 1) & 1)));
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

/// <summary>Masks of 256-bit vectors, for processors that have no others.</summary>
internal static class HalfMask
{
    /// <summary>The lanes of half of a vector.</summary>
    public const int Lanes = IElement.Lanes / 2;

    /// <summary>Returns a mask of the first <paramref name="count"/> lanes (below 0: none, beyond 8: all).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> First(int count) =>
        Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(count)).AsSingle();
}
