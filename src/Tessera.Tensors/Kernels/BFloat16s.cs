using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Tessera.Tensors.Kernels;

/// <summary>Reads BF16 elements.</summary>
internal readonly unsafe struct BFloat16s : IElements
{
    // Words 0 to 15 of the first operand between those of the second, which count from 32.
    private static Vector512<ushort> Order
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512.Create(
            (ushort)0, 32, 1, 33, 2, 34, 3, 35, 4, 36, 5, 37, 6, 38, 7, 39,
            8, 40, 9, 41, 10, 42, 11, 43, 12, 44, 13, 45, 14, 46, 15, 47);
    }

    public static int Bytes => sizeof(ushort);

    public static uint Load(byte* from) => (uint)*(ushort*)from << 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Load8(byte* from) =>
        Vector256.WidenLower(Vector128.Load((ushort*)from).ToVector256Unsafe()) << 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Load16(byte* from) => Widen(Vector256.Load((ushort*)from));

    public static Vector512<uint> LoadPart(byte* from, int count)
    {
        if (Avx512BW.VL.IsSupported)
        {
            Vector256<ushort> present = Vector256.LessThan(Vector256<ushort>.Indices, Vector256.Create((ushort)count));
            return Widen(Avx512BW.VL.MaskLoad((ushort*)from, present, Vector256<ushort>.Zero));
        }

        ushort* part = stackalloc ushort[16];
        new Span<ushort>(part, 16).Clear();
        new ReadOnlySpan<ushort>(from, count).CopyTo(new Span<ushort>(part, 16));
        return Load16((byte*)part);
    }

    public static uint Round(uint value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Weave(Vector512<uint> first, Vector512<uint> second) => (first >>> 16) | second;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> LoadWoven(byte* first, byte* second) => Avx512BW.IsSupported
        ? Avx512BW.PermuteVar32x16x2(
            Vector256.Load((ushort*)first).ToVector512Unsafe(),
            Order,
            Vector256.Load((ushort*)second).ToVector512Unsafe()).AsUInt32()
        : Weave(Load16(first), Load16(second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Load8Pairs(byte* from) => Vector256.Load((uint*)from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Widen(Vector256<ushort> words) =>
        Vector512.WidenLower(words.ToVector512Unsafe()) << 16;
}
