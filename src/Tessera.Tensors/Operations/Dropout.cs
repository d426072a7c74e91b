using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Tessera.Tensors.Kernels;
using Tessera.Tensors.Threading;

namespace Tessera.Tensors;

/// <content>
/// Dropout: y = x / (1 − p) where an element is kept, 0 where it isn't, optionally onto a residual stream
/// (jmlr.org/papers/v15/srivastava14a). Whether element i is kept is a hash of (seed, i): no mask is stored, and a run
/// that is resumed draws the same.
/// </content>
public static unsafe partial class Ops
{
    /// <summary>
    /// Drops elements of <paramref name="x"/> with <paramref name="probability"/> and adds the rest to
    /// <paramref name="residual"/>.
    /// </summary>
    /// <param name="x">F32, BF16 or F64.</param>
    /// <param name="probability">In [0, 1).</param>
    /// <param name="seed">Makes the choice; another one for each call of a step.</param>
    /// <param name="residual">F32 (F64 for F64), of x's shape, or null.</param>
    /// <returns>A tensor of x's shape, in the residual's type, or without one in x's.</returns>
    /// <exception cref="ArgumentException">The residual is of another shape or type.</exception>
    public static Tensor Dropout(Tensor x, double probability, ulong seed, Tensor? residual = null)
    {
        if (!(probability is >= 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(
                nameof(probability), probability, "Dropout: the probability must be in [0, 1)");
        }

        DType stream = x.DType == DType.F64 ? DType.F64 : DType.F32;
        if (residual is not null && (residual.Shape != x.Shape || residual.DType != stream))
        {
            throw new ArgumentException($"Dropout: {x} onto a residual of {residual}, {stream} {x.Shape} is wanted");
        }

        Tensor y = Tensor.Create(x.Shape, residual is null ? x.DType : stream);
        switch (x.DType)
        {
            case DType.F64:
                DropoutReference<double>(
                    x.Span<double>(), residual is null ? default : residual.Span<double>(), y.Span<double>(),
                    probability, seed);
                break;
            case DType.F32 or DType.BF16:
                new DropoutKernel(x.Shape.Count, probability, seed).Forward(x, residual, y);
                break;
            default: throw Unsupported("Dropout", x, y);
        }

        Tape.Record<DropoutNode>(y, x.Tracked || residual is { Tracked: true })?.Set(x, residual, probability, seed);
        return y;
    }

    /// <summary>The definition; an empty <paramref name="residual"/> is 0 everywhere.</summary>
    public static void DropoutReference<T>(
        ReadOnlySpan<T> x, ReadOnlySpan<T> residual, Span<T> y, double probability, ulong seed)
        where T : IFloatingPointIeee754<T>
    {
        for (int i = 0; i < x.Length; i++)
        {
            T kept = IsKept(i, probability, seed) ? x[i] / T.CreateChecked(1 - probability) : T.Zero;
            y[i] = residual.IsEmpty ? kept : kept + residual[i];
        }
    }

    /// <summary>
    /// The gradient's definition; adds to <paramref name="dx"/>. The residual's gradient is dy itself.
    /// </summary>
    public static void DropoutReferenceGradient<T>(ReadOnlySpan<T> dy, Span<T> dx, double probability, ulong seed)
        where T : IFloatingPointIeee754<T>
    {
        for (int i = 0; i < dx.Length; i++)
        {
            dx[i] += IsKept(i, probability, seed) ? dy[i] / T.CreateChecked(1 - probability) : T.Zero;
        }
    }

    /// <summary>Two rounds of a 32-bit mixer (Wellons's lowbias32) over the element's number and the seed.</summary>
    private static bool IsKept(long i, double probability, ulong seed)
    {
        uint n = Mix((uint)i ^ (uint)seed);
        n = Mix(n ^ (uint)(seed >> 32) ^ (uint)(i >> 32));
        return n >= (uint)(probability * uint.MaxValue);

        static uint Mix(uint n)
        {
            n = (n ^ (n >> 16)) * 0x7feb352du;
            n = (n ^ (n >> 15)) * 0x846ca68bu;
            return n ^ (n >> 16);
        }
    }

    private struct DropoutKernel(long count, double probability, ulong seed) : IParallelBody
    {
        private readonly ElementPartition _elements = new(count);
        private readonly float _scale = (float)(1 / (1 - probability));
        private readonly uint _threshold = (uint)(probability * uint.MaxValue);
        private readonly uint _key0 = (uint)seed;
        private readonly uint _key1 = (uint)(seed >> 32);
        private void* _x;
        private void* _residual;
        private void* _y;
        private bool _xBrain;
        private bool _yBrain;

        public void Forward(Tensor x, Tensor? residual, Tensor y) =>
            Run(x.Data, x.DType, residual is null ? null : residual.Data, y.Data, y.DType);

        /// <summary>Sets, or adds to, dx the gradient that comes through the kept elements.</summary>
        public void Backward(Tensor dy, Tensor dx, bool accumulate) =>
            Run(dy.Data, dy.DType, accumulate ? dx.Data : null, dx.Data, dx.DType);

        [MethodImpl(Compiled.Alone)]
        public readonly void Run(int index)
        {
            (long i, long end) = _elements.Item(index);
            for (; i < end; i += IElement.Lanes)
            {
                Vector512<float> x = _xBrain ? Lanes.Load<Brain16>(_x, i, end) : Lanes.Load<Single32>(_x, i, end);
                x = Vector512.ConditionalSelect(Kept(i), x * _scale, Vector512<float>.Zero);
                if (_residual is not null)
                {
                    x += _yBrain ? Lanes.Load<Brain16>(_residual, i, end) : Lanes.Load<Single32>(_residual, i, end);
                }

                if (_yBrain)
                {
                    Lanes.Store<Brain16>(_y, i, end, x);
                }
                else
                {
                    Lanes.Store<Single32>(_y, i, end, x);
                }
            }
        }

        private void Run(void* x, DType xType, void* residual, void* y, DType yType)
        {
            _x = x;
            _residual = residual;
            _y = y;
            _xBrain = xType == DType.BF16;
            _yBrain = yType == DType.BF16;
            Workers.Run(_elements.Items, ref this);
        }

        /// <summary>The same choice as the definition's, for 16 elements.</summary>
        private readonly Vector512<float> Kept(long i)
        {
            Vector512<uint> n = Vector512.Create((uint)i) + Vector512<uint>.Indices;
            n = Mix(n ^ Vector512.Create(_key0));
            n = Mix(n ^ Vector512.Create(_key1 ^ (uint)(i >> 32)));
            return Vector512.GreaterThanOrEqual(n, Vector512.Create(_threshold)).AsSingle();
        }

        private static Vector512<uint> Mix(Vector512<uint> n)
        {
            n ^= n >>> 16;
            n *= Vector512.Create(0x7feb352du);
            n ^= n >>> 15;
            n *= Vector512.Create(0x846ca68bu);
            return n ^ (n >>> 16);
        }
    }

    private sealed class DropoutNode : TapeNode
    {
        private Tensor _x = null!;
        private Tensor? _residual;
        private double _probability;
        private ulong _seed;

        public void Set(Tensor x, Tensor? residual, double probability, ulong seed) =>
            (_x, _residual, _probability, _seed) = (x, residual, probability, seed);

        public override void Backward()
        {
            if (_x.Tracked && _x.DType == DType.F64)
            {
                DropoutReferenceGradient<double>(
                    Output.Gradient!.Span<double>(), GradientSum(_x), _probability, _seed);
            }
            else if (_x.Tracked)
            {
                Tensor dx = _x.GradientToWrite(out bool accumulate);
                new DropoutKernel(_x.Shape.Count, _probability, _seed).Backward(Output.Gradient!, dx, accumulate);
            }

            if (_residual is { Tracked: true })
            {
                PassGradient(Output, _residual);
            }
        }

        public override void Return()
        {
            (_x, _residual) = (null!, null);
            Give(this);
        }
    }
}
