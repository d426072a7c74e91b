using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Tessera.Tensors.Kernels;

/// <summary>Reads elements of one stored type as the bits of fp32 values.</summary>
internal unsafe interface IElements
{
    static abstract int Bytes { get; }

    /// <summary>Reads eight elements.</summary>
    static abstract Vector256<uint> Load(byte* from);

    /// <summary>Reads one element.</summary>
    static abstract uint LoadOne(byte* from);

    /// <summary>Reads sixteen elements, rounded to bf16, as eight pairs.</summary>
    static abstract Vector256<uint> LoadPairs(byte* from);

    /// <summary>Rounds what <see cref="Load"/> returned to bf16; its bits stand in the upper halves, the lower ones are undefined.</summary>
    static abstract Vector256<uint> Round(Vector256<uint> values);

    /// <summary>Rounds what <see cref="LoadOne"/> returned to bf16, in the upper half.</summary>
    static abstract uint RoundOne(uint value);
}

/// <summary>Reads F32 elements.</summary>
internal readonly unsafe struct Singles : IElements
{
    public static int Bytes => sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Load(byte* from) => Vector256.Load((uint*)from);

    public static uint LoadOne(byte* from) => *(uint*)from;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> LoadPairs(byte* from) => Vector256.Narrow(
        Round(Load(from)) >>> 16, Round(Load(from + (8 * sizeof(float)))) >>> 16).AsUInt32();

    // To the nearest, ties to even; a NaN, which the addition could turn into infinity, becomes quiet instead.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Round(Vector256<uint> values)
    {
        Vector256<uint> rounded = values + Vector256.Create(0x7FFFu) + ((values >>> 16) & Vector256<uint>.One);
        Vector256<uint> isNaN = Vector256.GreaterThan(
            (values & Vector256.Create(0x7FFFFFFFu)).AsInt32(), Vector256.Create(0x7F800000)).AsUInt32();
        return Vector256.ConditionalSelect(isNaN, values | Vector256.Create(0x400000u), rounded);
    }

    public static uint RoundOne(uint value) => (uint)((BFloat16)BitConverter.UInt32BitsToSingle(value)).Bits << 16;
}

/// <summary>Reads BF16 elements.</summary>
internal readonly unsafe struct BFloat16s : IElements
{
    public static int Bytes => sizeof(ushort);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Load(byte* from) =>
        Vector256.WidenLower(Vector128.Load((ushort*)from).ToVector256Unsafe()) << 16;

    public static uint LoadOne(byte* from) => (uint)*(ushort*)from << 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> LoadPairs(byte* from) => Vector256.Load((uint*)from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Round(Vector256<uint> values) => values;

    public static uint RoundOne(uint value) => value;
}
