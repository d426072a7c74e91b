using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Tessera.Tensors.Kernels;
using Tessera.Tensors.Threading;

namespace Tessera.Tensors;

/// <content>
/// What optimizers do to a parameter, each one pass over values, gradient and moments. The updates' formulas stand with
/// the optimizers; gradients are multiplied by a factor (clipping) as they are read.
/// </content>
public static unsafe partial class Ops
{
    /// <summary>Returns the sum of the squares of F32 elements, in double, by fixed parts in order.</summary>
    /// <exception cref="ArgumentException">The elements are of another type.</exception>
    public static double SumOfSquares(Tensor x)
    {
        SquaresKernel body = new()
        {
            Elements = new ElementPartition(x.Shape.Count),
            X = Floats("SumOfSquares", x, x.Shape),
        };
        double* sums = stackalloc double[Math.Max(1, body.Elements.Items)];
        body.Sums = sums;
        Workers.Run(body.Elements.Items, ref body);
        double sum = 0;
        for (int i = 0; i < body.Elements.Items; i++)
        {
            sum += sums[i];
        }

        return sum;
    }

    /// <summary>
    /// AdamW (arXiv 1711.05101): m and v move, then p ← p (1 − decay) − rate · m / (√v · vScale + eps).
    /// </summary>
    /// <param name="parameter">With a gradient.</param>
    /// <param name="first">The gradient's running mean m, F32.</param>
    /// <param name="second">The squared gradient's running mean v, F32.</param>
    /// <param name="update">The step's numbers.</param>
    /// <exception cref="ArgumentException">A tensor's type or shape differs, or there is no gradient.</exception>
    public static void AdamWUpdate(Parameter parameter, Tensor first, Tensor second, in AdamWUpdate update)
    {
        AdamWKernel body = new()
        {
            Elements = new ElementPartition(parameter.Shape.Count),
            P = parameter.Floats,
            G = Floats("AdamWUpdate", parameter.Gradient, parameter.Shape),
            M = Floats("AdamWUpdate", first, parameter.Shape),
            V = Floats("AdamWUpdate", second, parameter.Shape),
            Update = update,
        };
        Workers.Run(body.Elements.Items, ref body);
        parameter.Changed();
    }

    /// <summary>
    /// SGD's step, Nesterov's or plain: b ← momentum · b + g + decay · p, then p ← p − rate · (b, or g + decay · p +
    /// momentum · b).
    /// </summary>
    /// <exception cref="ArgumentException">A tensor's type or shape differs, or there is no gradient.</exception>
    public static void SgdUpdate(
        Parameter parameter, Tensor buffer, double rate, double momentum, bool nesterov, double decay,
        double gradientScale)
    {
        SgdKernel body = new()
        {
            Elements = new ElementPartition(parameter.Shape.Count),
            P = parameter.Floats,
            G = Floats("SgdUpdate", parameter.Gradient, parameter.Shape),
            B = Floats("SgdUpdate", buffer, parameter.Shape),
            Rate = (float)rate,
            Momentum = (float)momentum,
            Decay = (float)decay,
            Scale = (float)gradientScale,
            Nesterov = nesterov,
        };
        Workers.Run(body.Elements.Items, ref body);
        parameter.Changed();
    }

    /// <summary>Sets y ← a · x + b · y for F32 tensors of one shape; b = 0 overwrites whatever y holds.</summary>
    /// <exception cref="ArgumentException">The shapes differ, or an element type is another.</exception>
    public static void ScaleAndAdd(Tensor x, double a, Tensor y, double b)
    {
        ScaleAndAddKernel body = new()
        {
            Elements = new ElementPartition(y.Shape.Count),
            X = Floats("ScaleAndAdd", x, y.Shape),
            Y = Floats("ScaleAndAdd", y, y.Shape),
            A = (float)a,
            B = (float)b,
        };
        Workers.Run(body.Elements.Items, ref body);
    }

    private static float* Floats(string operation, Tensor? x, Shape shape) =>
        x is { DType: DType.F32 } && x.Shape == shape
            ? (float*)x.Data
            : throw new ArgumentException(
                $"{operation}: {x?.ToString() ?? "no gradient"} where {DType.F32} {shape} is wanted");

    private struct SquaresKernel : IParallelBody
    {
        public ElementPartition Elements;
        public float* X;
        public double* Sums;

        [MethodImpl(Compiled.Alone)]
        public readonly void Run(int index)
        {
            (long i, long end) = Elements.Item(index);
            Vector512<double> sum = Vector512<double>.Zero;
            for (; i < end; i += IElement.Lanes)
            {
                (Vector512<double> low, Vector512<double> high) = Vector512.Widen(Lanes.Load<Single32>(X, i, end));
                sum = Vector512.FusedMultiplyAdd(low, low, sum);
                sum = Vector512.FusedMultiplyAdd(high, high, sum);
            }

            Sums[index] = Vector512.Sum(sum);
        }
    }

    private struct AdamWKernel : IParallelBody
    {
        public ElementPartition Elements;
        public float* P;
        public float* G;
        public float* M;
        public float* V;
        public AdamWUpdate Update;

        [MethodImpl(Compiled.Alone)]
        public readonly void Run(int index)
        {
            (long i, long end) = Elements.Item(index);
            Vector512<float> scale = Vector512.Create((float)Update.GradientScale);
            Vector512<float> keep = Vector512.Create((float)(1 - Update.Decay));
            Vector512<float> rate = Vector512.Create((float)Update.Rate);
            Vector512<float> epsilon = Vector512.Create((float)Update.Epsilon);
            Vector512<float> new1 = Vector512.Create((float)(1 - Update.Beta1));
            Vector512<float> new2 = Vector512.Create((float)(1 - Update.Beta2));
            Vector512<float> vScale = Vector512.Create((float)Update.SecondScale);
            for (; i < end; i += IElement.Lanes)
            {
                Vector512<float> g = Lanes.Load<Single32>(G, i, end) * scale;
                Vector512<float> m = Lanes.Load<Single32>(M, i, end), v = Lanes.Load<Single32>(V, i, end);
                m = Vector512.FusedMultiplyAdd(g - m, new1, m);
                v = Vector512.FusedMultiplyAdd((g * g) - v, new2, v);
                Lanes.Store<Single32>(M, i, end, m);
                Lanes.Store<Single32>(V, i, end, v);
                Vector512<float> step = rate * m / Vector512.FusedMultiplyAdd(Vector512.Sqrt(v), vScale, epsilon);
                Lanes.Store<Single32>(P, i, end, (Lanes.Load<Single32>(P, i, end) * keep) - step);
            }
        }
    }

    private struct SgdKernel : IParallelBody
    {
        public ElementPartition Elements;
        public float* P;
        public float* G;
        public float* B;
        public float Rate;
        public float Momentum;
        public float Decay;
        public float Scale;
        public bool Nesterov;

        [MethodImpl(Compiled.Alone)]
        public readonly void Run(int index)
        {
            (long i, long end) = Elements.Item(index);
            for (; i < end; i += IElement.Lanes)
            {
                Vector512<float> p = Lanes.Load<Single32>(P, i, end);
                Vector512<float> g = (Lanes.Load<Single32>(G, i, end) * Scale) + (p * Decay);
                Vector512<float> b = (Lanes.Load<Single32>(B, i, end) * Momentum) + g;
                Lanes.Store<Single32>(B, i, end, b);
                Lanes.Store<Single32>(P, i, end, p - ((Nesterov ? g + (b * Momentum) : b) * Rate));
            }
        }
    }

    private struct ScaleAndAddKernel : IParallelBody
    {
        public ElementPartition Elements;
        public float* X;
        public float* Y;
        public float A;
        public float B;

        [MethodImpl(Compiled.Alone)]
        public readonly void Run(int index)
        {
            (long i, long end) = Elements.Item(index);
            for (; i < end; i += IElement.Lanes)
            {
                Vector512<float> x = Lanes.Load<Single32>(X, i, end) * A;
                Lanes.Store<Single32>(Y, i, end, B == 0 ? x : x + (Lanes.Load<Single32>(Y, i, end) * B));
            }
        }
    }
}
