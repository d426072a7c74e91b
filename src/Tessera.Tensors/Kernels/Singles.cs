using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Tessera.Tensors.Kernels;

/// <summary>Reads F32 elements.</summary>
internal readonly unsafe struct Singles : IElements
{
    public static int Bytes => sizeof(float);

    public static uint Load(byte* from) => *(uint*)from;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Load8(byte* from) => Vector256.Load((uint*)from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Load16(byte* from) => Vector512.Load((uint*)from);

    public static Vector512<uint> LoadPart(byte* from, int count)
    {
        if (Avx512F.IsSupported)
        {
            Vector512<uint> present = Vector512.LessThan(Vector512<uint>.Indices, Vector512.Create((uint)count));
            return Avx512F.MaskLoad((uint*)from, present, Vector512<uint>.Zero);
        }

        uint* part = stackalloc uint[16];
        new Span<uint>(part, 16).Clear();
        new ReadOnlySpan<uint>(from, count).CopyTo(new Span<uint>(part, 16));
        return Vector512.Load(part);
    }

    public static uint Round(uint value) => (uint)((BFloat16)BitConverter.UInt32BitsToSingle(value)).Bits << 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Weave(Vector512<uint> first, Vector512<uint> second) =>
        (Round(first) >>> 16) | (Round(second) & Vector512.Create(0xFFFF0000));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> LoadWoven(byte* first, byte* second) => Weave(Load16(first), Load16(second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Load8Pairs(byte* from) =>
        Vector512.Narrow(Round(Load16(from)) >>> 16, Vector512<uint>.Zero).GetLower().AsUInt32();

    // To the nearest, ties to even; a NaN, which the addition could turn into infinity, becomes quiet instead.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Round(Vector512<uint> values)
    {
        Vector512<uint> rounded = values + Vector512.Create(0x7FFFu) + ((values >>> 16) & Vector512<uint>.One);
        Vector512<uint> isNaN = ~Vector512.Equals(values.AsSingle(), values.AsSingle()).AsUInt32();
        return Vector512.ConditionalSelect(isNaN, values | Vector512.Create(0x400000u), rounded);
    }
}
