using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Tessera.Tensors.Kernels;

/// <summary>An activation and its derivative: as definition in any type, and on vectors.</summary>
internal interface IActivation
{
    static abstract T Value<T>(T x)
        where T : IFloatingPointIeee754<T>;

    static abstract T Slope<T>(T x)
        where T : IFloatingPointIeee754<T>;

    static abstract Vector512<float> Value(Vector512<float> x);

    /// <summary>Returns both, which share most of their work.</summary>
    static abstract (Vector512<float> Value, Vector512<float> Slope) ValueAndSlope(Vector512<float> x);
}

internal readonly struct SiluActivation : IActivation
{
    public static T Value<T>(T x)
        where T : IFloatingPointIeee754<T> => x / (T.One + T.Exp(-x));

    public static T Slope<T>(T x)
        where T : IFloatingPointIeee754<T>
    {
        T s = T.One / (T.One + T.Exp(-x));
        return s * (T.One + (x * (T.One - s)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Value(Vector512<float> x) => x * VectorMath.Sigmoid(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<float> Value, Vector512<float> Slope) ValueAndSlope(Vector512<float> x)
    {
        Vector512<float> s = VectorMath.Sigmoid(x), one = Vector512<float>.One;
        return (x * s, s * Vector512.FusedMultiplyAdd(x, one - s, one));
    }
}

internal readonly struct GeluTanhActivation : IActivation
{
    private const double Root = 0.79788456080286535588; // √(2/π)
    private const double Cubic = 0.044715;

    public static T Value<T>(T x)
        where T : IFloatingPointIeee754<T> => T.CreateChecked(0.5) * x * (T.One + T.Tanh(Inner(x)));

    public static T Slope<T>(T x)
        where T : IFloatingPointIeee754<T>
    {
        T t = T.Tanh(Inner(x)), half = T.CreateChecked(0.5);
        T inner = T.CreateChecked(Root) * (T.One + (T.CreateChecked(3 * Cubic) * x * x));
        return (half * (T.One + t)) + (half * x * (T.One - (t * t)) * inner);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Value(Vector512<float> x) =>
        x * Vector512.Create(0.5f) * (Vector512<float>.One + VectorMath.Tanh(Inner(x)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<float> Value, Vector512<float> Slope) ValueAndSlope(Vector512<float> x)
    {
        Vector512<float> t = VectorMath.Tanh(Inner(x)), one = Vector512<float>.One, half = Vector512.Create(0.5f);
        Vector512<float> inner = Vector512.Create((float)Root)
            * Vector512.FusedMultiplyAdd(Vector512.Create((float)(3 * Cubic)) * x, x, one);
        return (x * half * (one + t), half * (one + t + (x * (one - (t * t)) * inner)));
    }

    private static T Inner<T>(T x)
        where T : IFloatingPointIeee754<T> => T.CreateChecked(Root) * (x + (T.CreateChecked(Cubic) * x * x * x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Inner(Vector512<float> x) =>
        Vector512.Create((float)Root) * Vector512.FusedMultiplyAdd(Vector512.Create((float)Cubic) * x * x, x, x);
}

internal readonly struct GeluExactActivation : IActivation
{
    private const double InverseRoot2 = 0.70710678118654752440;
    private const double NormalDensity = 0.39894228040143267794; // 1/√(2π)

    public static T Value<T>(T x)
        where T : IFloatingPointIeee754<T> =>
        x * T.CreateChecked(0.5) * (T.One + ErrorFunction.Reference(x * T.CreateChecked(InverseRoot2)));

    public static T Slope<T>(T x)
        where T : IFloatingPointIeee754<T>
    {
        T half = T.CreateChecked(0.5);
        T below = half * (T.One + ErrorFunction.Reference(x * T.CreateChecked(InverseRoot2)));
        return below + (x * T.CreateChecked(NormalDensity) * T.Exp(-half * x * x));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Value(Vector512<float> x) => x * Below(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<float> Value, Vector512<float> Slope) ValueAndSlope(Vector512<float> x)
    {
        Vector512<float> below = Below(x);
        Vector512<float> density = Vector512.Create((float)NormalDensity)
            * VectorMath.Exp(x * x * Vector512.Create(-0.5f));
        return (x * below, below + (x * density));
    }

    private static Vector512<float> Below(Vector512<float> x) =>
        Vector512.Create(0.5f) * ErrorFunction.Complement(x * Vector512.Create(-(float)InverseRoot2));
}

internal readonly struct GeluQuickActivation : IActivation
{
    private const double Steepness = 1.702;

    public static T Value<T>(T x)
        where T : IFloatingPointIeee754<T> => x / (T.One + T.Exp(-T.CreateChecked(Steepness) * x));

    public static T Slope<T>(T x)
        where T : IFloatingPointIeee754<T>
    {
        T k = T.CreateChecked(Steepness), s = T.One / (T.One + T.Exp(-k * x));
        return s * (T.One + (k * x * (T.One - s)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Value(Vector512<float> x) =>
        x * VectorMath.Sigmoid(x * Vector512.Create((float)Steepness));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<float> Value, Vector512<float> Slope) ValueAndSlope(Vector512<float> x)
    {
        Vector512<float> kx = x * Vector512.Create((float)Steepness);
        Vector512<float> s = VectorMath.Sigmoid(kx), one = Vector512<float>.One;
        return (x * s, s * Vector512.FusedMultiplyAdd(kx, one - s, one));
    }
}

internal readonly struct ReluSquaredActivation : IActivation
{
    public static T Value<T>(T x)
        where T : IFloatingPointIeee754<T> => T.Max(x, T.Zero) * T.Max(x, T.Zero);

    public static T Slope<T>(T x)
        where T : IFloatingPointIeee754<T> => T.CreateChecked(2) * T.Max(x, T.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Value(Vector512<float> x)
    {
        Vector512<float> positive = Vector512.Max(x, Vector512<float>.Zero);
        return positive * positive;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<float> Value, Vector512<float> Slope) ValueAndSlope(Vector512<float> x)
    {
        Vector512<float> positive = Vector512.Max(x, Vector512<float>.Zero);
        return (positive * positive, Vector512.Create(2f) * positive);
    }
}
