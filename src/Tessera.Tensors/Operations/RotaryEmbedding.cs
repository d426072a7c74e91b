using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Tessera.Tensors.Kernels;
using Tessera.Tensors.Threading;

namespace Tessera.Tensors;

/// <content>
/// Rotary embedding: pairs (a, b) of each head become (a cos − b sin, a sin + b cos). In Qwen3's form each head is
/// first normalised (RMSNorm over D with one weight for all heads); both are one pass here.
/// </content>
public static unsafe partial class Ops
{
    /// <summary>
    /// Turns each head of <paramref name="x"/> (N, H, D) by its row's position, after RMSNorm where a weight is given.
    /// </summary>
    /// <param name="x">F32, BF16 or F64.</param>
    /// <param name="positions">N positions; copied.</param>
    /// <param name="rotary">The tables.</param>
    /// <param name="normWeight">The norm's scale (D), or null for none.</param>
    /// <param name="epsilon">The norm's epsilon.</param>
    /// <returns>A tensor of x's shape and type.</returns>
    /// <exception cref="ArgumentException">A position is outside the tables, or the shapes don't fit.</exception>
    public static Tensor RotaryEmbedding(
        Tensor x, ReadOnlySpan<int> positions, Rotary rotary, Parameter? normWeight = null, double epsilon = 0)
    {
        (int N, int H, int D) = x.Shape;
        if (positions.Length != N || rotary.Dimensions > D)
        {
            throw new ArgumentException(
                $"RotaryEmbedding: {x} with {positions.Length} positions and {rotary.Dimensions} turning entries");
        }

        foreach (int position in positions)
        {
            if ((uint)position >= (uint)rotary.Positions)
            {
                throw new ArgumentException(
                    $"RotaryEmbedding: position {position}, the model holds {rotary.Positions}");
            }
        }

        if (normWeight is not null)
        {
            RequireColumns("RotaryEmbedding", x, normWeight);
        }

        // In F64 the two steps run one after the other.
        if (normWeight is not null && x.DType == DType.F64)
        {
            return RotaryEmbedding(RmsNorm(x, normWeight, epsilon), positions, rotary);
        }

        Tensor y = Tensor.Create(x.Shape, x.DType), places = Tensor.From(new Shape(N), positions);
        switch (x.DType)
        {
            case DType.F64:
                RotaryReference<double>(x.Span<double>(), positions, y.Span<double>(), H, D, rotary, inverse: false);
                break;
            case DType.F32: RotaryKernel<Single32>.Forward(x, y, places, rotary, normWeight, epsilon); break;
            case DType.BF16: RotaryKernel<Brain16>.Forward(x, y, places, rotary, normWeight, epsilon); break;
            default: throw Unsupported("RotaryEmbedding", x, y);
        }

        Tape.Record<RotaryNode>(
            y, x.Tracked || normWeight is { Frozen: false })?.Set(x, places, rotary, normWeight, epsilon);
        return y;
    }

    /// <summary>
    /// The definition, without the norm; turned back where <paramref name="inverse"/>, which is also its gradient.
    /// </summary>
    public static void RotaryReference<T>(
        ReadOnlySpan<T> x, ReadOnlySpan<int> positions, Span<T> y, int heads, int headSize, Rotary rotary, bool inverse)
        where T : IFloatingPointIeee754<T>
    {
        int half = rotary.Dimensions / 2;
        for (int n = 0; n < positions.Length; n++)
        {
            for (int h = 0; h < heads; h++)
            {
                int start = ((n * heads) + h) * headSize;
                x.Slice(start, headSize).CopyTo(y.Slice(start, headSize));
                for (int i = 0; i < half; i++)
                {
                    (double sine, double cosine) = Math.SinCos(rotary.Angle(positions[n], i));
                    T c = T.CreateChecked(cosine), s = T.CreateChecked(inverse ? -sine : sine);
                    int a = rotary.Interleaved ? start + (2 * i) : start + i, b = rotary.Interleaved ? a + 1 : a + half;
                    (T xa, T xb) = (x[a], x[b]);
                    y[a] = (xa * c) - (xb * s);
                    y[b] = (xa * s) + (xb * c);
                }
            }
        }
    }

    private struct RotaryKernel<TX> : IParallelBody
        where TX : struct, IElement
    {
        private RowPartition _rows;
        private Rotary _rotary;
        private void* _x;
        private void* _y; // result, or its gradient on the way back
        private void* _dx;
        private int* _positions;
        private float* _weight;
        private float* _partials;
        private int _heads;
        private int _headSize;
        private float _epsilon;
        private bool _backward;
        private bool _brain; // whether dx is BF16
        private bool _accumulate;

        public static void Forward(
            Tensor x, Tensor y, Tensor positions, Rotary rotary, Parameter? weight, double epsilon)
        {
            RotaryKernel<TX> body = Start(x, y, positions, rotary, weight, epsilon);
            Workers.Run(body._rows.Items, ref body);
        }

        public static void Backward(
            Tensor x, Tensor dy, Tensor positions, Rotary rotary, Parameter? weight, double epsilon)
        {
            RotaryKernel<TX> body = Start(x, dy, positions, rotary, weight, epsilon);
            Tensor? partials = weight is { Frozen: false }
                ? Tensor.Zeros(new Shape(body._rows.Items, body._headSize), DType.F32)
                : null;
            body._partials = partials is null ? null : (float*)partials.Data;
            body._backward = true;
            Tensor? dx = x.Tracked ? x.GradientToWrite(out body._accumulate) : null;
            body._dx = dx is null ? null : dx.Data;
            body._brain = dx is { DType: DType.BF16 };
            Workers.Run(body._rows.Items, ref body);
            if (weight is not null)
            {
                AddPartials(partials, weight);
            }
        }

        [MethodImpl(Compiled.Alone)]
        public readonly void Run(int index)
        {
            long D = _headSize, half = _rotary.Dimensions / 2;
            float* scratch = stackalloc float[_headSize];
            float* dWeight = _partials is null ? null : _partials + (index * D);
            (int first, int end) = _rows.Item(index);
            for (long row = first; row < end; row++)
            {
                float* cosines = (float*)_rotary.Cosines.Data + (_positions[row / _heads] * half);
                float* sines = (float*)_rotary.Sines.Data + (_positions[row / _heads] * half);
                long start = row * D;
                if (!_backward)
                {
                    Turn<TX>(_x, start, _weight, _y, start, cosines, sines, 1, false);
                }
                else if (_weight is null && _brain)
                {
                    Turn<Brain16>(_y, start, null, _dx, start, cosines, sines, -1, _accumulate);
                }
                else if (_weight is null)
                {
                    Turn<Single32>(_y, start, null, _dx, start, cosines, sines, -1, _accumulate);
                }
                else
                {
                    Turn<Single32>(_y, start, null, scratch, 0, cosines, sines, -1, false);
                    NormaliseBackward(start, scratch, dWeight);
                }
            }
        }

        private static RotaryKernel<TX> Start(
            Tensor x, Tensor y, Tensor positions, Rotary rotary, Parameter? weight, double epsilon)
        {
            (_, int H, int D) = x.Shape;
            return new()
            {
                _rows = new RowPartition(x.Shape.Rows, D),
                _rotary = rotary,
                _x = x.Data,
                _y = y.Data,
                _positions = (int*)positions.Data,
                _weight = weight is null ? null : weight.Floats,
                _heads = H,
                _headSize = D,
                _epsilon = (float)epsilon,
            };
        }

        [MethodImpl(Compiled.Alone)]
        private readonly void NormaliseBackward(long start, float* dy, float* dWeight)
        {
            long D = _headSize, end = start + D;
            float scale = Scale(start);
            Vector512<float> dots = Vector512<float>.Zero;
            for (long i = 0; i < D; i += IElement.Lanes)
            {
                Vector512<float> pulled = Lanes.Load<Single32>(dy, i, D) * Lanes.Load<Single32>(_weight, i, D);
                dots = Vector512.FusedMultiplyAdd(pulled, Lanes.Load<TX>(_x, start + i, end), dots);
            }

            float pull = scale * scale * scale * Vector512.Sum(dots) / D;
            for (long i = 0; i < D; i += IElement.Lanes)
            {
                Vector512<float> d = Lanes.Load<Single32>(dy, i, D) * scale;
                Vector512<float> x = Lanes.Load<TX>(_x, start + i, end), w = Lanes.Load<Single32>(_weight, i, D);
                if (_dx is not null)
                {
                    Lanes.Put(_dx, _brain, start + i, end, (d * w) - (x * pull), _accumulate);
                }

                if (dWeight is not null)
                {
                    Lanes.Put<Single32>(dWeight, i, D, d * x, accumulate: true);
                }
            }
        }

        [MethodImpl(Compiled.Alone)]
        private readonly float Scale(long start)
        {
            Vector512<float> squares = Vector512<float>.Zero;
            for (long i = start; i < start + _headSize; i += IElement.Lanes)
            {
                Vector512<float> x = Lanes.Load<TX>(_x, i, start + _headSize);
                squares = Vector512.FusedMultiplyAdd(x, x, squares);
            }

            return 1 / MathF.Sqrt((Vector512.Sum(squares) / _headSize) + _epsilon);
        }

        // Turns a row, normed first where there is a weight; what lies beyond the turned channels is copied.
        [MethodImpl(Compiled.Alone)]
        private readonly void Turn<TTo>(
            void* from, long start, float* weight, void* to, long toStart, float* cosines, float* sines,
            float direction, bool accumulate)
            where TTo : struct, IElement
        {
            long D = _headSize, half = _rotary.Dimensions / 2;
            Vector512<float> scale = weight is null ? Vector512<float>.One : Vector512.Create(Scale(start));
            Vector512<float> turn = Vector512.Create(direction);
            if (_rotary.Interleaved)
            {
                turn *= Vector512.Create(-1f, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1);
                for (long i = 0; i < 2 * half; i += IElement.Lanes)
                {
                    Vector512<float> x = Normed(from, start, weight, scale, i, 2 * half);
                    Vector512<float> c = Twice(cosines, i, half), s = Twice(sines, i, half) * turn;
                    Vector512<int> swapped = Vector512.Create(1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
                    Vector512<float> y = (x * c) + (Vector512.Shuffle(x, swapped) * s);
                    Lanes.Put<TTo>(to, toStart + i, toStart + (2 * half), y, accumulate);
                }
            }
            else
            {
                for (long i = 0; i < half; i += IElement.Lanes)
                {
                    Vector512<float> c = Lanes.Load<Single32>(cosines, i, half);
                    Vector512<float> s = Lanes.Load<Single32>(sines, i, half) * turn;
                    Vector512<float> a = Normed(from, start, weight, scale, i, half);
                    Vector512<float> b = Normed(from, start, weight, scale, half + i, 2 * half);
                    Lanes.Put<TTo>(to, toStart + i, toStart + half, (a * c) - (b * s), accumulate);
                    Lanes.Put<TTo>(to, toStart + half + i, toStart + (2 * half), (a * s) + (b * c), accumulate);
                }
            }

            for (long i = 2 * half; i < D; i += IElement.Lanes)
            {
                Lanes.Put<TTo>(to, toStart + i, toStart + D, Normed(from, start, weight, scale, i, D), accumulate);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector512<float> Normed(
            void* from, long start, float* weight, Vector512<float> scale, long i, long end)
        {
            Vector512<float> x = Lanes.Load<TX>(from, start + i, start + end);
            return weight is null ? x : x * scale * Lanes.Load<Single32>(weight, i, end);
        }

        // The angles' values from element i on, each for both channels of its pair.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector512<float> Twice(float* values, long i, long half) => Vector512.Shuffle(
            Lanes.Load<Single32>(values, i / 2, half),
            Vector512.Create(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7));
    }

    private sealed class RotaryNode : TapeNode
    {
        private Tensor _x = null!;
        private Tensor _positions = null!;
        private Rotary _rotary = null!;
        private Parameter? _weight;
        private double _epsilon;

        public void Set(Tensor x, Tensor positions, Rotary rotary, Parameter? weight, double epsilon) =>
            (_x, _positions, _rotary, _weight, _epsilon) = (x, positions, rotary, weight, epsilon);

        public override void Backward()
        {
            Tensor dy = Output.Gradient!;
            switch (_x.DType)
            {
                case DType.F64: BackwardReference(dy); break;
                case DType.F32: RotaryKernel<Single32>.Backward(_x, dy, _positions, _rotary, _weight, _epsilon); break;
                default: RotaryKernel<Brain16>.Backward(_x, dy, _positions, _rotary, _weight, _epsilon); break;
            }
        }

        public override void Return()
        {
            (_x, _positions, _rotary, _weight) = (null!, null!, null!, null);
            Give(this);
        }

        private void BackwardReference(Tensor dy)
        {
            (_, int H, int D) = _x.Shape;
            Span<double> turned = Tensor.Create(_x.Shape, DType.F64).Span<double>(), dx = GradientSum(_x);
            RotaryReference<double>(dy.Span<double>(), _positions.Span<int>(), turned, H, D, _rotary, inverse: true);
            for (int i = 0; i < dx.Length; i++)
            {
                dx[i] += turned[i];
            }
        }
    }
}
