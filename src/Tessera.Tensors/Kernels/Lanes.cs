using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Tessera.Tensors.Kernels;

/// <summary>
/// The loops over a row's last, incomplete vector, written once: a tail is read into zeroed lanes and only its own
/// lanes are written.
/// </summary>
internal static unsafe class Lanes
{
    /// <summary>
    /// Reads the elements from <paramref name="i"/> on, at most 16 and none at or past <paramref name="end"/>; missing
    /// lanes are <paramref name="fill"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load<T>(void* p, long i, long end, float fill = 0)
        where T : struct, IElement => i + IElement.Lanes <= end ? T.Load(p, i) : T.LoadPart(p, i, (int)(end - i), fill);

    /// <summary>Writes the lanes whose elements lie before <paramref name="end"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T>(void* p, long i, long end, Vector512<float> value)
        where T : struct, IElement
    {
        if (i + IElement.Lanes <= end)
        {
            T.Store(p, i, value);
        }
        else
        {
            T.StorePart(p, i, (int)(end - i), value);
        }
    }

    /// <summary>Writes, or adds where <paramref name="accumulate"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Put<T>(void* p, long i, long end, Vector512<float> value, bool accumulate)
        where T : struct, IElement => Store<T>(p, i, end, accumulate ? Load<T>(p, i, end) + value : value);

    /// <summary>
    /// Writes, or adds, to a gradient: of F32 or BF16, which isn't always the type of what it is the gradient of.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Put(void* p, bool brain, long i, long end, Vector512<float> value, bool accumulate)
    {
        if (brain)
        {
            Put<Brain16>(p, i, end, value, accumulate);
        }
        else
        {
            Put<Single32>(p, i, end, value, accumulate);
        }
    }
}
