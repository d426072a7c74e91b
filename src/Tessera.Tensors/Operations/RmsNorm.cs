using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Tessera.Tensors.Kernels;
using Tessera.Tensors.Threading;

namespace Tessera.Tensors;

/// <content>RMSNorm: y = x / sqrt(mean(x²) + eps) · (offset + w), over the last dimension (arXiv 1910.07467).</content>
public static unsafe partial class Ops
{
    /// <summary>
    /// Normalises each row of <paramref name="x"/> (…, C) by its root mean square and scales it by
    /// <paramref name="weight"/> (C).
    /// </summary>
    /// <param name="x">F32, BF16 or F64.</param>
    /// <param name="weight">The scale of each column.</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <param name="weightOffset">Added to the weight: 0, or 1 in Gemma's form.</param>
    /// <param name="type">The result's type; x's where it isn't given.</param>
    /// <returns>A tensor of x's shape.</returns>
    public static Tensor RmsNorm(
        Tensor x, Parameter weight, double epsilon, double weightOffset = 0, DType? type = null)
    {
        RequireColumns("RmsNorm", x, weight);
        Tensor y = Tensor.Create(x.Shape, type ?? x.DType);
        if (x.DType == DType.F64)
        {
            RmsNormReference<double>(
                x.Span<double>(), weight.Value.Span<double>(), y.Span<double>(), epsilon, weightOffset);
        }
        else
        {
            RowPartition rows = new(x.Shape.Rows, x.Shape.Columns);
            switch (x.DType, y.DType)
            {
                case (DType.F32, DType.F32):
                    RmsNormForward<Single32, Single32>.Go(rows, x, y, weight, epsilon, weightOffset);
                    break;
                case (DType.F32, DType.BF16):
                    RmsNormForward<Single32, Brain16>.Go(rows, x, y, weight, epsilon, weightOffset);
                    break;
                case (DType.BF16, DType.BF16):
                    RmsNormForward<Brain16, Brain16>.Go(rows, x, y, weight, epsilon, weightOffset);
                    break;
                case (DType.BF16, DType.F32):
                    RmsNormForward<Brain16, Single32>.Go(rows, x, y, weight, epsilon, weightOffset);
                    break;
                default: throw Unsupported("RmsNorm", x, y);
            }
        }

        y.GradientType = x.DType == DType.F64 ? DType.F64 : DType.F32;
        Tape.Record<RmsNormNode>(y, x.Tracked || !weight.Frozen)?.Set(x, weight, epsilon, weightOffset);
        return y;
    }

    /// <summary>The definition, row by row.</summary>
    public static void RmsNormReference<T>(
        ReadOnlySpan<T> x, ReadOnlySpan<T> weight, Span<T> y, double epsilon, double weightOffset)
        where T : IFloatingPointIeee754<T>
    {
        int C = weight.Length;
        for (int start = 0; start < x.Length; start += C)
        {
            T scale = RmsScale(x.Slice(start, C), epsilon);
            for (int c = 0; c < C; c++)
            {
                y[start + c] = x[start + c] * scale * (T.CreateChecked(weightOffset) + weight[c]);
            }
        }
    }

    /// <summary>The gradient's definition; adds to <paramref name="dx"/> and <paramref name="dWeight"/>.</summary>
    public static void RmsNormReferenceGradient<T>(
        ReadOnlySpan<T> x, ReadOnlySpan<T> weight, ReadOnlySpan<T> dy, Span<T> dx, Span<T> dWeight, double epsilon,
        double weightOffset)
        where T : IFloatingPointIeee754<T>
    {
        int C = weight.Length;
        T offset = T.CreateChecked(weightOffset);
        for (int start = 0; start < x.Length; start += C)
        {
            T scale = RmsScale(x.Slice(start, C), epsilon), dot = T.Zero;
            for (int c = 0; c < C; c++)
            {
                dot += dy[start + c] * (offset + weight[c]) * x[start + c];
                dWeight[c] += dy[start + c] * x[start + c] * scale;
            }

            T pull = scale * scale * scale * dot / T.CreateChecked(C);
            for (int c = 0; c < C; c++)
            {
                dx[start + c] += (scale * dy[start + c] * (offset + weight[c])) - (x[start + c] * pull);
            }
        }
    }

    private static T RmsScale<T>(ReadOnlySpan<T> row, double epsilon)
        where T : IFloatingPointIeee754<T>
    {
        T squares = T.Zero;
        foreach (T value in row)
        {
            squares += value * value;
        }

        return T.One / T.Sqrt((squares / T.CreateChecked(row.Length)) + T.CreateChecked(epsilon));
    }

    private struct RmsNormForward<TX, TY> : IParallelBody
        where TX : struct, IElement
        where TY : struct, IElement
    {
        private RowPartition _rows;
        private void* _x;
        private void* _y;
        private float* _weight;
        private int _columns;
        private float _epsilon;
        private float _offset;

        public static void Go(
            RowPartition rows, Tensor x, Tensor y, Parameter weight, double epsilon, double weightOffset)
        {
            RmsNormForward<TX, TY> body = new()
            {
                _rows = rows,
                _x = x.Data,
                _y = y.Data,
                _weight = weight.Floats,
                _columns = x.Shape.Columns,
                _epsilon = (float)epsilon,
                _offset = (float)weightOffset,
            };
            Workers.Run(rows.Items, ref body);
        }

        [MethodImpl(Compiled.Alone)]
        public readonly void Run(int index)
        {
            long C = _columns;
            (int first, int end) = _rows.Item(index);
            Vector512<float> offset = Vector512.Create(_offset);
            for (long row = first; row < end; row++)
            {
                long start = row * C, stop = start + C;
                Vector512<float> squares = Vector512<float>.Zero;
                for (long i = start; i < stop; i += IElement.Lanes)
                {
                    Vector512<float> x = Lanes.Load<TX>(_x, i, stop);
                    squares = Vector512.FusedMultiplyAdd(x, x, squares);
                }

                Vector512<float> scale = Vector512.Create(1 / MathF.Sqrt((Vector512.Sum(squares) / C) + _epsilon));
                for (long i = start; i < stop; i += IElement.Lanes)
                {
                    Vector512<float> w = Lanes.Load<Single32>(_weight, i - start, C) + offset;
                    Lanes.Store<TY>(_y, i, stop, Lanes.Load<TX>(_x, i, stop) * scale * w);
                }
            }
        }
    }

    private struct RmsNormBackward<TX, TDy> : IParallelBody
        where TX : struct, IElement
        where TDy : struct, IElement
    {
        private RowPartition _rows;
        private void* _x;
        private void* _dy;
        private void* _dx;
        private float* _weight;
        private float* _partials;
        private int _columns;
        private float _epsilon;
        private float _offset;
        private bool _brain; // whether dx is BF16
        private bool _accumulate;

        public static void Go(
            Tensor x, Tensor dy, Tensor? dx, bool accumulate, Parameter weight, double epsilon, double weightOffset)
        {
            RowPartition rows = new(x.Shape.Rows, x.Shape.Columns);
            Tensor? partials = weight.Frozen ? null : Tensor.Create(new Shape(rows.Items, x.Shape.Columns), DType.F32);
            RmsNormBackward<TX, TDy> body = new()
            {
                _rows = rows,
                _x = x.Data,
                _dy = dy.Data,
                _dx = dx is null ? null : dx.Data,
                _weight = weight.Floats,
                _partials = partials is null ? null : (float*)partials.Data,
                _columns = x.Shape.Columns,
                _epsilon = (float)epsilon,
                _offset = (float)weightOffset,
                _brain = dx is { DType: DType.BF16 },
                _accumulate = accumulate,
            };
            Workers.Run(rows.Items, ref body);
            AddPartials(partials, weight);
        }

        [MethodImpl(Compiled.Alone)]
        public readonly void Run(int index)
        {
            long C = _columns;
            (int first, int end) = _rows.Item(index);
            Vector512<float> offset = Vector512.Create(_offset);
            float* partial = _partials is null ? null : _partials + (index * C);
            if (partial is not null)
            {
                new Span<float>(partial, _columns).Clear();
            }

            for (long row = first; row < end; row++)
            {
                long start = row * C, stop = start + C;
                Vector512<float> squares = Vector512<float>.Zero, dots = Vector512<float>.Zero;
                for (long i = start; i < stop; i += IElement.Lanes)
                {
                    Vector512<float> x = Lanes.Load<TX>(_x, i, stop);
                    Vector512<float> pulled = Lanes.Load<TDy>(_dy, i, stop)
                        * (Lanes.Load<Single32>(_weight, i - start, C) + offset);
                    squares = Vector512.FusedMultiplyAdd(x, x, squares);
                    dots = Vector512.FusedMultiplyAdd(pulled, x, dots);
                }

                float scale = 1 / MathF.Sqrt((Vector512.Sum(squares) / C) + _epsilon);
                Vector512<float> scales = Vector512.Create(scale);
                Vector512<float> pull = Vector512.Create(scale * scale * scale * Vector512.Sum(dots) / C);
                for (long i = start; i < stop; i += IElement.Lanes)
                {
                    Vector512<float> x = Lanes.Load<TX>(_x, i, stop), dy = Lanes.Load<TDy>(_dy, i, stop) * scales;
                    if (_dx is not null)
                    {
                        Vector512<float> w = Lanes.Load<Single32>(_weight, i - start, C) + offset;
                        Lanes.Put(_dx, _brain, i, stop, (dy * w) - (x * pull), _accumulate);
                    }

                    if (partial is not null)
                    {
                        Lanes.Put<Single32>(partial, i - start, C, dy * x, accumulate: true);
                    }
                }
            }
        }
    }

    private sealed class RmsNormNode : TapeNode
    {
        private Tensor _x = null!;
        private Parameter _weight = null!;
        private double _epsilon;
        private double _weightOffset;

        public void Set(Tensor x, Parameter weight, double epsilon, double weightOffset) =>
            (_x, _weight, _epsilon, _weightOffset) = (x, weight, epsilon, weightOffset);

        public override void Backward()
        {
            Tensor dy = Output.Gradient!;
            if (_x.DType == DType.F64)
            {
                RmsNormReferenceGradient<double>(
                    _x.Span<double>(), _weight.Value.Span<double>(), dy.Span<double>(), GradientSum(_x),
                    GradientSum(_weight), _epsilon, _weightOffset);
                return;
            }

            bool accumulate = false;
            Tensor? dx = _x.Tracked ? _x.GradientToWrite(out accumulate) : null;
            switch (_x.DType, dy.DType)
            {
                case (DType.F32, DType.F32):
                    RmsNormBackward<Single32, Single32>.Go(_x, dy, dx, accumulate, _weight, _epsilon, _weightOffset);
                    break;
                case (DType.F32, DType.BF16):
                    RmsNormBackward<Single32, Brain16>.Go(_x, dy, dx, accumulate, _weight, _epsilon, _weightOffset);
                    break;
                case (DType.BF16, DType.F32):
                    RmsNormBackward<Brain16, Single32>.Go(_x, dy, dx, accumulate, _weight, _epsilon, _weightOffset);
                    break;
                case (DType.BF16, DType.BF16):
                    RmsNormBackward<Brain16, Brain16>.Go(_x, dy, dx, accumulate, _weight, _epsilon, _weightOffset);
                    break;
                default: throw Unsupported("RmsNorm", _x, dy);
            }
        }

        public override void Return()
        {
            (_x, _weight) = (null!, null!);
            Give(this);
        }
    }
}
