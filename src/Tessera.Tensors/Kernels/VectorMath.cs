using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Tessera.Tensors.Kernels;

/// <summary>
/// Elementary functions of 16 floats at a time, for the row-wise operations. Where the processor has no 512-bit vectors
/// the runtime does each operation in halves. A lane's result depends on that lane alone.
/// </summary>
internal static unsafe class VectorMath
{
    /// <summary>The number of floats in a vector.</summary>
    public const int Width = 16;

    // 1.5 * 2^23: adding it rounds a float below 2^22 to a whole number, which then stands in the low bits.
    private const float Rounder = 12582912f;

    /// <summary>
    /// Returns e^x, at most 0.9 ulp off over all floats. exp(-inf) is 0, results below 2^-126 are rounded to subnormals
    /// once, results above the largest float are infinite, NaN stays NaN.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> x)
    {
        // The bounds lie where the result is 0 and infinite anyway. The native forms return the second operand for NaN.
        Vector512<float> bounded = Vector512.MaxNative(
            Vector512.Create(-104.5f), Vector512.MinNative(Vector512.Create(89f), x));
        return ExpBounded(bounded);
    }

    /// <summary>Returns e^x for x at most 89 as <see cref="Exp"/> does; above 89 the result is not defined.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ExpNonPositive(Vector512<float> x) =>
        ExpBounded(Vector512.MaxNative(Vector512.Create(-104.5f), x));

    /// <summary>
    /// Returns 2^x for x at most 0 (a little above is no harm), relative error at most 2e-7: for weights, whose sum
    /// divides them again. 2^-inf is 0, NaN stays NaN.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> PowerOfTwo(Vector512<float> x)
    {
        (Vector512<float> r, Vector512<float> n) = SplitPower(x);

        // 1 + r Q(r), Q of degree 4 by Remez' exchange on [-1/2, 1/2]: relative error 9.2e-8, the rest is rounding.
        Vector512<float> sum = Vector512.Create(0.0013264727f);
        sum = Vector512.FusedMultiplyAdd(sum, r, Vector512.Create(0.009671513f));
        sum = Vector512.FusedMultiplyAdd(sum, r, Vector512.Create(0.055507336f));
        sum = Vector512.FusedMultiplyAdd(sum, r, Vector512.Create(0.24022242f));
        sum = Vector512.FusedMultiplyAdd(sum, r, Vector512.Create(0.693147f));
        sum = Vector512.FusedMultiplyAdd(sum, r, Vector512<float>.One);
        return ScaleByPowerOfTwo(sum, n);
    }

    /// <summary>
    /// Returns 2^x as <see cref="PowerOfTwo"/> does, relative error at most 3e-6: for weights that are then rounded to
    /// bfloat16.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> PowerOfTwoRoughly(Vector512<float> x)
    {
        (Vector512<float> r, Vector512<float> n) = SplitPower(x);
        Vector512<float> sum = Vector512.Create(0.009582853f);
        sum = Vector512.FusedMultiplyAdd(sum, r, Vector512.Create(0.055906426f));
        sum = Vector512.FusedMultiplyAdd(sum, r, Vector512.Create(0.240241f));
        sum = Vector512.FusedMultiplyAdd(sum, r, Vector512.Create(0.6931242f));
        sum = Vector512.FusedMultiplyAdd(sum, r, Vector512<float>.One);
        return ScaleByPowerOfTwo(sum, n);
    }

    /// <summary>Returns tanh x, at most 1.4 ulp off; tanh(-0) is -0, NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Tanh(Vector512<float> x)
    {
        Vector512<float> sign = x & Vector512.Create(-0f);
        Vector512<float> size = Vector512.Abs(x);

        // Beyond 0.625 (where tanh passes 1/2) the difference from 1 loses no digit: 1 - 2 / (e^2|x| + 1).
        Vector512<float> power = Exp(size + size);
        Vector512<float> large = Vector512<float>.One - (Vector512.Create(2f) / (power + Vector512<float>.One));

        // Below: x + x^3 P(x^2), P by Remez' exchange on [0, 0.625^2], relative error of the whole 4.4e-9.
        Vector512<float> square = size * size;
        Vector512<float> sum = Vector512.Create(-0.0057049873f);
        sum = Vector512.FusedMultiplyAdd(sum, square, Vector512.Create(0.020639088f));
        sum = Vector512.FusedMultiplyAdd(sum, square, Vector512.Create(-0.053739715f));
        sum = Vector512.FusedMultiplyAdd(sum, square, Vector512.Create(0.13331442f));
        sum = Vector512.FusedMultiplyAdd(sum, square, Vector512.Create(-0.3333328f));
        Vector512<float> small = Vector512.FusedMultiplyAdd(sum * square, size, size);

        Vector512<float> isSmall = Vector512.LessThan(size, Vector512.Create(0.625f));
        return Vector512.ConditionalSelect(isSmall, small, large) | sign;
    }

    /// <summary>Returns 1 / (1 + e^-x), at most 2.5 ulp off, subnormal results included; NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Sigmoid(Vector512<float> x)
    {
        // By e^-|x|, so that neither side overflows and a small result keeps its digits.
        Vector512<float> power = Exp(-Vector512.Abs(x));
        Vector512<float> top = Vector512.ConditionalSelect(
            Vector512.LessThan(x, Vector512<float>.Zero), power, Vector512<float>.One);
        return top / (Vector512<float>.One + power);
    }

    /// <summary>Returns the sum of the lanes, in one fixed order (halves, quarters, eighths, pairs).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector512<float> x)
    {
        Vector256<float> half = x.GetLower() + x.GetUpper();
        Vector128<float> quarter = half.GetLower() + half.GetUpper();
        Vector128<float> pair = quarter + Vector128.Shuffle(quarter, Vector128.Create(2, 3, 0, 1));
        return pair.ToScalar() + pair.GetElement(1);
    }

    /// <summary>Returns the largest lane; not defined where one is NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max(Vector512<float> x)
    {
        Vector256<float> half = Vector256.MaxNative(x.GetLower(), x.GetUpper());
        Vector128<float> quarter = Vector128.MaxNative(half.GetLower(), half.GetUpper());
        Vector128<float> pair = Vector128.MaxNative(quarter, Vector128.Shuffle(quarter, Vector128.Create(2, 3, 0, 1)));
        return MathF.Max(pair.ToScalar(), pair.GetElement(1));
    }

    /// <summary>Returns a mask of the first <paramref name="count"/> lanes (0 to 16, or beyond: all).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> FirstLanes(int count) =>
        Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle();

    /// <summary>Reads 16 bfloat16 values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadBFloat16(BFloat16* source) =>
        WidenBFloat16(Vector256.Load((ushort*)source));

    /// <summary>Returns the values of 16 bfloat16 words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> WidenBFloat16(Vector256<ushort> words)
    {
        if (Avx512F.IsSupported)
        {
            return (Avx512F.ConvertToVector512UInt32(words) << 16).AsSingle();
        }

        (Vector256<uint> lower, Vector256<uint> upper) = Vector256.Widen(words);
        return Vector512.Create((lower << 16).AsSingle(), (upper << 16).AsSingle());
    }

    /// <summary>
    /// Returns 16 values as bfloat16 words, each rounded to the nearest, ties to even; NaN stays a (quiet) NaN.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<ushort> NarrowToBFloat16(Vector512<float> values) => Narrow(RoundToBFloat16(values) >>> 16);

    /// <summary>
    /// Writes 16 values, each rounded to the nearest bfloat16, ties to even; NaN stays a (quiet) NaN.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBFloat16(Vector512<float> values, BFloat16* target) =>
        StoreUpper(RoundToBFloat16(values), target);

    /// <summary>Writes the upper halves of 16 lanes: what <see cref="RoundToBFloat16"/> returned.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreUpper(Vector512<uint> lanes, BFloat16* target) =>
        Narrow(lanes >>> 16).Store((ushort*)target);

    /// <summary>
    /// Returns the nearest bfloat16 values in the upper halves of the lanes; the lower halves are not defined.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> RoundToBFloat16(Vector512<float> values)
    {
        Vector512<uint> bits = values.AsUInt32();
        Vector512<uint> odd = Vector512.ShiftRightLogical(bits, 16) & Vector512<uint>.One;
        Vector512<uint> rounded = bits + Vector512.Create(0x7FFFu) + odd;
        Vector512<uint> isNumber = Vector512.Equals(values, values).AsUInt32();
        return Vector512.ConditionalSelect(isNumber, rounded, bits | Vector512.Create(0x400000u));
    }

    /// <summary>
    /// Returns the nearest bfloat16 values in the upper halves of the lanes, ties away from 0, for numbers that are no
    /// results and seldom ties; a NaN of the processor's own making stays one.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> RoundRoughly(Vector512<float> values) =>
        values.AsUInt32() + Vector512.Create(0x8000u);

    /// <summary>Writes the upper halves of 32 lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreUpper(Vector512<uint> first, Vector512<uint> second, BFloat16* target)
    {
        if (Avx512BW.IsSupported)
        {
            Vector512<ushort> odd = Vector512.Create(
                (ushort)1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31,
                33, 35, 37, 39, 41, 43, 45, 47, 49, 51, 53, 55, 57, 59, 61, 63);
            Avx512BW.PermuteVar32x16x2(first.AsUInt16(), odd, second.AsUInt16()).Store((ushort*)target);
            return;
        }

        StoreUpper(first, target);
        StoreUpper(second, target + Width);
    }

    /// <summary>Returns the upper halves of two vectors side by side in each lane, the first's below.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Weave(Vector512<uint> first, Vector512<uint> second) =>
        (first >>> 16) | (second & Vector512.Create(0xFFFF0000u));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> ExpBounded(Vector512<float> x)
    {
        // x = n ln 2 + r, |r| <= ln 2 / 2; ln 2 in two parts, the first with 9 zero bits at its end, so n times it is
        // exact.
        Vector512<float> shifted = Vector512.FusedMultiplyAdd(
            x, Vector512.Create(1.44269504f), Vector512.Create(Rounder));
        Vector512<float> n = shifted - Vector512.Create(Rounder);
        Vector512<float> r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-0.693145752f), x);
        r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-1.42860677e-6f), r);

        // e^r = 1 + r + r^2 Q(r), Q of degree 4 by Remez' exchange: relative error 3.1e-9, a twentieth of an ulp.
        Vector512<float> sum = Vector512.Create(0.0013814539f);
        sum = Vector512.FusedMultiplyAdd(sum, r, Vector512.Create(0.008368745f));
        sum = Vector512.FusedMultiplyAdd(sum, r, Vector512.Create(0.04166839f));
        sum = Vector512.FusedMultiplyAdd(sum, r, Vector512.Create(0.16666521f));
        sum = Vector512.FusedMultiplyAdd(sum, r, Vector512.Create(0.49999994f));
        sum = Vector512.FusedMultiplyAdd(sum, r, Vector512<float>.One);
        sum = Vector512.FusedMultiplyAdd(sum, r, Vector512<float>.One);
        return ScaleByPowerOfTwo(sum, n);
    }

    // x = n + r; the bound lies where 2^x rounds to 0. The native form returns the second operand for NaN.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<float> R, Vector512<float> N) SplitPower(Vector512<float> x)
    {
        Vector512<float> bounded = Vector512.MaxNative(Vector512.Create(-151f), x);
        Vector512<float> n = Vector512.Round(bounded);
        return (bounded - n, n);
    }

    /// <summary>Returns x * 2^n, rounded once, for x near 1 and n from -151 to 129.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> ScaleByPowerOfTwo(Vector512<float> x, Vector512<float> n)
    {
        if (Avx512F.IsSupported)
        {
            return Avx512F.Scale(x, n);
        }

        // In two steps, since 2^n alone may be no float. The first product is exact: it is far from both ends.
        Vector512<int> whole = Vector512.ConvertToInt32Native(n);
        Vector512<int> half = Vector512.ShiftRightArithmetic(whole, 1);
        Vector512<int> bias = Vector512.Create(127);
        Vector512<float> first = Vector512.ShiftLeft(half + bias, 23).AsSingle();
        Vector512<float> second = Vector512.ShiftLeft(whole - half + bias, 23).AsSingle();
        return x * first * second;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ushort> Narrow(Vector512<uint> wide) => Avx512F.IsSupported
        ? Avx512F.ConvertToVector256UInt16(wide)
        : Vector256.Narrow(wide.GetLower(), wide.GetUpper());
}
