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
    /// <param name="x">F32 or BF16.</param>
    /// <param name="probability">In [0, 1).</param>
    /// <param name="seed">Makes the choice; another one for each call of a step.</param>
    /// <param name="residual">F32, of x's shape, or null.</param>
    /// <returns>A tensor of x's shape, in F32 onto a residual, else in x's type.</returns>
    public static Tensor Dropout(Tensor x, double probability, ulong seed, Tensor? residual = null)
    {
        if (!(probability is >= 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(
                nameof(probability), probability, "Dropout: the probability must be in [0, 1)");
        }

        Tensor y = Tensor.Create(x.Shape, residual is null ? x.DType : DType.F32);
        DropoutKernel body = new(x.Shape.Count, probability, seed);
        body.Forward(x, residual, y);
        Tape.Record<DropoutNode>(y, x.Tracked || residual is { Tracked: true })?.Set(x, residual, probability, seed);
        return y;
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

        /// <summary>Two rounds of a 32-bit mixer (Wellons's lowbias32) over the element's number and the key.</summary>
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
            if (_x.Tracked)
            {
                Tensor dx = _x.GradientToWrite(out bool accumulate);
                DropoutKernel body = new(_x.Shape.Count, _probability, _seed);
                body.Backward(Output.Gradient!, dx, accumulate);
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
