using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Tessera.Tensors.Kernels;
using Tessera.Tensors.Threading;

namespace Tessera.Tensors;

/// <content>Softmax: y = exp(x) / Σ exp(x), and its logarithm, over the last dimension.</content>
public static unsafe partial class Ops
{
    /// <summary>
    /// Turns each row of logits into probabilities; −∞ becomes 0. A row of nothing but −∞ becomes NaN.
    /// </summary>
    /// <param name="x">F32 or F64, at least one column.</param>
    public static Tensor Softmax(Tensor x) => Softmax(x, logarithm: false);

    /// <summary>Turns each row of logits into logarithms of probabilities.</summary>
    /// <param name="x">F32 or F64, at least one column.</param>
    public static Tensor LogSoftmax(Tensor x) => Softmax(x, logarithm: true);

    /// <summary>The definition of both, row by row.</summary>
    public static void SoftmaxReference<T>(ReadOnlySpan<T> x, Span<T> y, int columns, bool logarithm)
        where T : IFloatingPointIeee754<T>
    {
        for (int start = 0; start < x.Length; start += columns)
        {
            T max = T.NegativeInfinity, sum = T.Zero;
            foreach (T value in x.Slice(start, columns))
            {
                max = T.Max(max, value);
            }

            // Subtracting the maximum changes no result and keeps Exp from overflowing.
            foreach (T value in x.Slice(start, columns))
            {
                sum += T.Exp(value - max);
            }

            for (int c = start; c < start + columns; c++)
            {
                y[c] = logarithm ? x[c] - max - T.Log(sum) : T.Exp(x[c] - max) / sum;
            }
        }
    }

    /// <summary>
    /// The gradient's definition, from the result <paramref name="y"/>; adds to <paramref name="dx"/>.
    /// </summary>
    public static void SoftmaxReferenceGradient<T>(
        ReadOnlySpan<T> y, ReadOnlySpan<T> dy, Span<T> dx, int columns, bool logarithm)
        where T : IFloatingPointIeee754<T>
    {
        for (int start = 0; start < y.Length; start += columns)
        {
            T sum = T.Zero;
            for (int c = start; c < start + columns; c++)
            {
                sum += logarithm ? dy[c] : dy[c] * y[c];
            }

            for (int c = start; c < start + columns; c++)
            {
                dx[c] += logarithm ? dy[c] - (T.Exp(y[c]) * sum) : y[c] * (dy[c] - sum);
            }
        }
    }

    private static Tensor Softmax(Tensor x, bool logarithm)
    {
        Tensor y = Tensor.Create(x.Shape, x.DType);
        switch (x.DType)
        {
            case DType.F64:
                SoftmaxReference<double>(x.Span<double>(), y.Span<double>(), x.Shape.Columns, logarithm);
                break;
            case DType.F32: SoftmaxKernel.Forward(x, y, logarithm); break;
            default: throw Unsupported("Softmax", x, y);
        }

        Tape.Record<SoftmaxNode>(y, x.Tracked)?.Set(x, logarithm);
        return y;
    }

    private struct SoftmaxKernel : IParallelBody
    {
        private RowPartition _rows;
        private float* _x;
        private float* _y;
        private float* _dy;
        private float* _dx;
        private int _columns;
        private bool _logarithm;
        private bool _accumulate;

        public static void Forward(Tensor x, Tensor y, bool logarithm)
        {
            SoftmaxKernel body = Start(x, y, logarithm);
            Workers.Run(body._rows.Items, ref body);
        }

        public static void Backward(Tensor x, Tensor y, Tensor dy, bool logarithm)
        {
            SoftmaxKernel body = Start(x, y, logarithm);
            body._dy = (float*)dy.Data;
            body._dx = (float*)x.GradientToWrite(out body._accumulate).Data;
            Workers.Run(body._rows.Items, ref body);
        }

        [MethodImpl(Compiled.Alone)]
        public readonly void Run(int index)
        {
            (int first, int end) = _rows.Item(index);
            for (long row = first; row < end; row++)
            {
                long at = row * _columns;
                if (_dy is null)
                {
                    ForwardRow(_x + at, _y + at);
                }
                else
                {
                    BackwardRow(_y + at, _dy + at, _dx + at);
                }
            }
        }

        private static SoftmaxKernel Start(Tensor x, Tensor y, bool logarithm) => new()
        {
            _rows = new RowPartition(x.Shape.Rows, x.Shape.Columns),
            _x = (float*)x.Data,
            _y = (float*)y.Data,
            _columns = x.Shape.Columns,
            _logarithm = logarithm,
        };

        private readonly void ForwardRow(float* x, float* y)
        {
            long C = _columns;
            Vector512<float> max = Vector512.Create(float.NegativeInfinity), sum = Vector512<float>.Zero;
            for (long c = 0; c < C; c += IElement.Lanes)
            {
                max = Vector512.Max(max, Lanes.Load<Single32>(x, c, C, float.NegativeInfinity));
            }

            Vector512<float> most = Vector512.Create(VectorMath.Max(max));
            for (long c = 0; c < C; c += IElement.Lanes)
            {
                Vector512<float> e = VectorMath.Exp(Lanes.Load<Single32>(x, c, C, float.NegativeInfinity) - most);
                sum += e;
                Lanes.Store<Single32>(y, c, C, e);
            }

            float total = Vector512.Sum(sum);
            Vector512<float> scale = Vector512.Create(1 / total), log = Vector512.Create(MathF.Log(total));
            for (long c = 0; c < C; c += IElement.Lanes)
            {
                // The maximum first: of large logits the difference is exact, and their sum with the logarithm isn't.
                Lanes.Store<Single32>(y, c, C, _logarithm
                    ? Lanes.Load<Single32>(x, c, C) - most - log
                    : Lanes.Load<Single32>(y, c, C) * scale);
            }
        }

        private readonly void BackwardRow(float* y, float* dy, float* dx)
        {
            long C = _columns;
            Vector512<float> sums = Vector512<float>.Zero;
            for (long c = 0; c < C; c += IElement.Lanes)
            {
                Vector512<float> d = Lanes.Load<Single32>(dy, c, C);
                sums += _logarithm ? d : d * Lanes.Load<Single32>(y, c, C);
            }

            Vector512<float> sum = Vector512.Create(Vector512.Sum(sums));
            for (long c = 0; c < C; c += IElement.Lanes)
            {
                Vector512<float> d = Lanes.Load<Single32>(dy, c, C), v = Lanes.Load<Single32>(y, c, C);
                Lanes.Put<Single32>(dx, c, C, _logarithm ? d - (VectorMath.Exp(v) * sum) : v * (d - sum), _accumulate);
            }
        }
    }

    private sealed class SoftmaxNode : TapeNode
    {
        private Tensor _x = null!;
        private bool _logarithm;

        public void Set(Tensor x, bool logarithm) => (_x, _logarithm) = (x, logarithm);

        public override void Backward()
        {
            Tensor dy = Output.Gradient!;
            if (_x.DType == DType.F64)
            {
                SoftmaxReferenceGradient<double>(
                    Output.Span<double>(), dy.Span<double>(), GradientSum(_x), _x.Shape.Columns, _logarithm);
            }
            else
            {
                SoftmaxKernel.Backward(_x, Output, dy, _logarithm);
            }
        }

        public override void Return()
        {
            _x = null!;
            Give(this);
        }
    }
}
