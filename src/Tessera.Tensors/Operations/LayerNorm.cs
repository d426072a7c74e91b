using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Tessera.Tensors.Kernels;
using Tessera.Tensors.Threading;

namespace Tessera.Tensors;

/// <content>LayerNorm: y = (x − mean) / sqrt(variance + eps) · w + b, over the last dimension (arXiv
/// 1607.06450).</content>
public static unsafe partial class Ops
{
    /// <summary>
    /// Normalises each row of <paramref name="x"/> (…, C) to mean 0 and variance 1, then scales and shifts it.
    /// </summary>
    /// <param name="x">F32, BF16 or F64.</param>
    /// <param name="weight">The scale of each column.</param>
    /// <param name="bias">What is added to each column.</param>
    /// <param name="epsilon">Added to the variance (the population's: divided by C).</param>
    /// <param name="type">The result's type; x's where it isn't given.</param>
    /// <returns>A tensor of x's shape.</returns>
    public static Tensor LayerNorm(Tensor x, Parameter weight, Parameter bias, double epsilon, DType? type = null)
    {
        RequireColumns("LayerNorm", x, weight);
        RequireColumns("LayerNorm", x, bias);
        Tensor y = Tensor.Create(x.Shape, type ?? x.DType);
        switch (x.DType, y.DType)
        {
            case (DType.F64, DType.F64):
                LayerNormReference<double>(
                    x.Span<double>(), weight.Value.Span<double>(), bias.Value.Span<double>(), y.Span<double>(),
                    epsilon);
                break;
            case (DType.F32, DType.F32): LayerNormForward<Single32, Single32>.Go(x, y, weight, bias, epsilon); break;
            case (DType.F32, DType.BF16): LayerNormForward<Single32, Brain16>.Go(x, y, weight, bias, epsilon); break;
            case (DType.BF16, DType.BF16): LayerNormForward<Brain16, Brain16>.Go(x, y, weight, bias, epsilon); break;
            case (DType.BF16, DType.F32): LayerNormForward<Brain16, Single32>.Go(x, y, weight, bias, epsilon); break;
            default: throw Unsupported("LayerNorm", x, y);
        }

        y.GradientType = x.DType == DType.F64 ? DType.F64 : DType.F32;
        Tape.Record<LayerNormNode>(y, x.Tracked || !weight.Frozen || !bias.Frozen)?.Set(x, weight, bias, epsilon);
        return y;
    }

    /// <summary>The definition, row by row.</summary>
    public static void LayerNormReference<T>(
        ReadOnlySpan<T> x, ReadOnlySpan<T> weight, ReadOnlySpan<T> bias, Span<T> y, double epsilon)
        where T : IFloatingPointIeee754<T>
    {
        int C = weight.Length;
        for (int start = 0; start < x.Length; start += C)
        {
            (T mean, T scale) = MeanAndScale(x.Slice(start, C), epsilon);
            for (int c = 0; c < C; c++)
            {
                y[start + c] = ((x[start + c] - mean) * scale * weight[c]) + bias[c];
            }
        }
    }

    /// <summary>
    /// The gradient's definition; adds to <paramref name="dx"/>, <paramref name="dWeight"/> and
    /// <paramref name="dBias"/>.
    /// </summary>
    public static void LayerNormReferenceGradient<T>(
        ReadOnlySpan<T> x, ReadOnlySpan<T> weight, ReadOnlySpan<T> dy, Span<T> dx, Span<T> dWeight, Span<T> dBias,
        double epsilon)
        where T : IFloatingPointIeee754<T>
    {
        int C = weight.Length;
        T count = T.CreateChecked(C);
        for (int start = 0; start < x.Length; start += C)
        {
            (T mean, T scale) = MeanAndScale(x.Slice(start, C), epsilon);
            T sum = T.Zero, dot = T.Zero;
            for (int c = 0; c < C; c++)
            {
                T normal = (x[start + c] - mean) * scale, pulled = dy[start + c] * weight[c];
                sum += pulled;
                dot += pulled * normal;
                dWeight[c] += dy[start + c] * normal;
                dBias[c] += dy[start + c];
            }

            for (int c = 0; c < C; c++)
            {
                T normal = (x[start + c] - mean) * scale;
                dx[start + c] += scale * ((dy[start + c] * weight[c]) - (sum / count) - (normal * dot / count));
            }
        }
    }

    private static (T Mean, T Scale) MeanAndScale<T>(ReadOnlySpan<T> row, double epsilon)
        where T : IFloatingPointIeee754<T>
    {
        T sum = T.Zero, squares = T.Zero, count = T.CreateChecked(row.Length);
        foreach (T value in row)
        {
            sum += value;
        }

        T mean = sum / count;
        foreach (T value in row)
        {
            squares += (value - mean) * (value - mean);
        }

        return (mean, T.One / T.Sqrt((squares / count) + T.CreateChecked(epsilon)));
    }

    /// <summary>
    /// Returns a row's mean and 1 / sqrt(variance + eps), in two passes so that a large mean costs no digits.
    /// </summary>
    private static (float Mean, float Scale) MeanAndScale<TX>(void* x, long start, long C, float epsilon)
        where TX : struct, IElement
    {
        long stop = start + C;
        Vector512<float> sums = Vector512<float>.Zero, squares = Vector512<float>.Zero;
        for (long i = start; i < stop; i += IElement.Lanes)
        {
            sums += Lanes.Load<TX>(x, i, stop);
        }

        float mean = Vector512.Sum(sums) / C;
        Vector512<float> means = Vector512.Create(mean);
        for (long i = start; i < stop; i += IElement.Lanes)
        {
            // A missing lane holds the mean, so that it adds nothing.
            Vector512<float> away = Lanes.Load<TX>(x, i, stop, mean) - means;
            squares = Vector512.FusedMultiplyAdd(away, away, squares);
        }

        return (mean, 1 / MathF.Sqrt((Vector512.Sum(squares) / C) + epsilon));
    }

    private struct LayerNormForward<TX, TY> : IParallelBody
        where TX : struct, IElement
        where TY : struct, IElement
    {
        private RowPartition _rows;
        private void* _x;
        private void* _y;
        private float* _weight;
        private float* _bias;
        private int _columns;
        private float _epsilon;

        public static void Go(Tensor x, Tensor y, Parameter weight, Parameter bias, double epsilon)
        {
            LayerNormForward<TX, TY> body = new()
            {
                _rows = new RowPartition(x.Shape.Rows, x.Shape.Columns),
                _x = x.Data,
                _y = y.Data,
                _weight = weight.Floats,
                _bias = bias.Floats,
                _columns = x.Shape.Columns,
                _epsilon = (float)epsilon,
            };
            Workers.Run(body._rows.Items, ref body);
        }

        [MethodImpl(Compiled.Alone)]
        public readonly void Run(int index)
        {
            long C = _columns;
            (int first, int end) = _rows.Item(index);
            for (long row = first; row < end; row++)
            {
                long start = row * C, stop = start + C;
                (float mean, float scale) = MeanAndScale<TX>(_x, start, C, _epsilon);
                Vector512<float> means = Vector512.Create(mean), scales = Vector512.Create(scale);
                for (long i = start; i < stop; i += IElement.Lanes)
                {
                    Vector512<float> w = Lanes.Load<Single32>(_weight, i - start, C);
                    Vector512<float> b = Lanes.Load<Single32>(_bias, i - start, C);
                    Lanes.Store<TY>(
                        _y, i, stop, Vector512.FusedMultiplyAdd((Lanes.Load<TX>(_x, i, stop) - means) * scales, w, b));
                }
            }
        }
    }

    private struct LayerNormBackward<TX, TDy> : IParallelBody
        where TX : struct, IElement
        where TDy : struct, IElement
    {
        private RowPartition _rows;
        private void* _x;
        private void* _dy;
        private void* _dx;
        private float* _weight;
        private float* _scalePartials;
        private float* _biasPartials;
        private int _columns;
        private float _epsilon;
        private bool _brain; // whether dx is BF16
        private bool _accumulate;

        public static void Go(
            Tensor x, Tensor dy, Tensor? dx, bool accumulate, Parameter weight, Parameter bias, double epsilon)
        {
            RowPartition rows = new(x.Shape.Rows, x.Shape.Columns);
            Shape partial = new(rows.Items, x.Shape.Columns);
            Tensor scales = Tensor.Zeros(partial, DType.F32), biases = Tensor.Zeros(partial, DType.F32);
            LayerNormBackward<TX, TDy> body = new()
            {
                _rows = rows,
                _x = x.Data,
                _dy = dy.Data,
                _dx = dx is null ? null : dx.Data,
                _weight = weight.Floats,
                _scalePartials = (float*)scales.Data,
                _biasPartials = (float*)biases.Data,
                _columns = x.Shape.Columns,
                _epsilon = (float)epsilon,
                _brain = dx is { DType: DType.BF16 },
                _accumulate = accumulate,
            };
            Workers.Run(rows.Items, ref body);
            AddPartials(weight.Frozen ? null : scales, weight);
            AddPartials(bias.Frozen ? null : biases, bias);
        }

        [MethodImpl(Compiled.Alone)]
        public readonly void Run(int index)
        {
            long C = _columns;
            (int first, int end) = _rows.Item(index);
            float* dWeight = _scalePartials + (index * C), dBias = _biasPartials + (index * C);
            for (long row = first; row < end; row++)
            {
                long start = row * C, stop = start + C;
                (float mean, float scale) = MeanAndScale<TX>(_x, start, C, _epsilon);
                Vector512<float> means = Vector512.Create(mean), scales = Vector512.Create(scale);
                Vector512<float> sums = Vector512<float>.Zero, dots = Vector512<float>.Zero;
                for (long i = start; i < stop; i += IElement.Lanes)
                {
                    Vector512<float> dy = Lanes.Load<TDy>(_dy, i, stop);
                    Vector512<float> pulled = dy * Lanes.Load<Single32>(_weight, i - start, C);
                    Vector512<float> normal = (Lanes.Load<TX>(_x, i, stop, mean) - means) * scales;
                    sums += pulled;
                    dots = Vector512.FusedMultiplyAdd(pulled, normal, dots);
                    Lanes.Put<Single32>(dWeight, i - start, C, dy * normal, accumulate: true);
                    Lanes.Put<Single32>(dBias, i - start, C, dy, accumulate: true);
                }

                if (_dx is null)
                {
                    continue;
                }

                Vector512<float> meanPull = Vector512.Create(Vector512.Sum(sums) / C);
                Vector512<float> pull = Vector512.Create(Vector512.Sum(dots) / C);
                for (long i = start; i < stop; i += IElement.Lanes)
                {
                    Vector512<float> pulled = Lanes.Load<TDy>(_dy, i, stop)
                        * Lanes.Load<Single32>(_weight, i - start, C);
                    Vector512<float> normal = (Lanes.Load<TX>(_x, i, stop) - means) * scales;
                    Lanes.Put(_dx, _brain, i, stop, scales * (pulled - meanPull - (normal * pull)), _accumulate);
                }
            }
        }
    }

    private sealed class LayerNormNode : TapeNode
    {
        private Tensor _x = null!;
        private Parameter _weight = null!;
        private Parameter _bias = null!;
        private double _epsilon;

        public void Set(Tensor x, Parameter weight, Parameter bias, double epsilon) =>
            (_x, _weight, _bias, _epsilon) = (x, weight, bias, epsilon);

        public override void Backward()
        {
            Tensor dy = Output.Gradient!;
            if (_x.DType == DType.F64)
            {
                LayerNormReferenceGradient<double>(
                    _x.Span<double>(), _weight.Value.Span<double>(), dy.Span<double>(), GradientSum(_x),
                    GradientSum(_weight), GradientSum(_bias), _epsilon);
                return;
            }

            bool accumulate = false;
            Tensor? dx = _x.Tracked ? _x.GradientToWrite(out accumulate) : null;
            switch (_x.DType, dy.DType)
            {
                case (DType.F32, DType.F32):
                    LayerNormBackward<Single32, Single32>.Go(_x, dy, dx, accumulate, _weight, _bias, _epsilon);
                    break;
                case (DType.F32, DType.BF16):
                    LayerNormBackward<Single32, Brain16>.Go(_x, dy, dx, accumulate, _weight, _bias, _epsilon);
                    break;
                case (DType.BF16, DType.F32):
                    LayerNormBackward<Brain16, Single32>.Go(_x, dy, dx, accumulate, _weight, _bias, _epsilon);
                    break;
                case (DType.BF16, DType.BF16):
                    LayerNormBackward<Brain16, Brain16>.Go(_x, dy, dx, accumulate, _weight, _bias, _epsilon);
                    break;
                default: throw Unsupported("LayerNorm", _x, dy);
            }
        }

        public override void Return()
        {
            (_x, _weight, _bias) = (null!, null!, null!);
            Give(this);
        }
    }
}
