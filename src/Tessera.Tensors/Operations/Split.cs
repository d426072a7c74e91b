using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Tessera.Tensors.Kernels;
using Tessera.Tensors.Threading;

namespace Tessera.Tensors;

/// <content>Split: cuts each row into parts, as GPT-2's one projection to queries, keys and values needs.</content>
public static unsafe partial class Ops
{
    private const int Parts = 3;

    /// <summary>Cuts rows of <paramref name="x"/> (N, 3C) into three tensors (N, C).</summary>
    /// <exception cref="ArgumentException">The columns don't divide by three.</exception>
    public static (Tensor First, Tensor Second, Tensor Third) SplitInThree(Tensor x)
    {
        (int N, int columns) = x.Shape;
        if (columns % Parts != 0)
        {
            throw new ArgumentException($"SplitInThree: {x} has {columns} columns");
        }

        return (Part(x, N, columns / Parts, 0), Part(x, N, columns / Parts, 1), Part(x, N, columns / Parts, 2));
    }

    private static Tensor Part(Tensor x, int N, int C, int part)
    {
        Tensor y = Tensor.Create(new Shape(N, C), x.DType);
        long size = x.DType.Size(), bytes = C * size;
        for (int n = 0; n < N; n++)
        {
            byte* source = (byte*)x.Data + ((((long)n * Parts) + part) * bytes);
            Buffer.MemoryCopy(source, (byte*)y.Data + (n * bytes), bytes, bytes);
        }

        Tape.Record<SplitNode>(y, x.Tracked)?.Set(x, part);
        return y;
    }

    /// <summary>
    /// Writes, or adds, a part's gradient to its own columns. The first to come clears the others': not every part may
    /// have a gradient.
    /// </summary>
    private struct SplitBackward : IParallelBody
    {
        private RowPartition _rows;
        private void* _dy;
        private void* _dx;
        private bool _brainDy;
        private bool _brainDx;
        private bool _accumulate;
        private int _columns;
        private int _part;

        public static void Go(Tensor dy, Tensor dx, bool accumulate, int part)
        {
            SplitBackward body = new()
            {
                _rows = new RowPartition(dx.Shape.Rows, dx.Shape.Columns),
                _dy = dy.Data,
                _dx = dx.Data,
                _brainDy = dy.DType == DType.BF16,
                _brainDx = dx.DType == DType.BF16,
                _accumulate = accumulate,
                _columns = dy.Shape.Columns,
                _part = part,
            };
            Workers.Run(body._rows.Items, ref body);
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public readonly void Run(int index)
        {
            long C = _columns;
            (int first, int end) = _rows.Item(index);
            for (long row = first; row < end; row++)
            {
                for (int part = 0; part < Parts; part++)
                {
                    if (part == _part || !_accumulate)
                    {
                        Columns(row * C, ((row * Parts) + part) * C, part == _part);
                    }
                }
            }
        }

        [MethodImpl(Compiled.Alone)]
        private readonly void Columns(long from, long to, bool own)
        {
            for (long c = 0; c < _columns; c += IElement.Lanes)
            {
                Vector512<float> dy = !own ? Vector512<float>.Zero
                    : _brainDy ? Lanes.Load<Brain16>(_dy, from + c, from + _columns)
                    : Lanes.Load<Single32>(_dy, from + c, from + _columns);
                Lanes.Put(_dx, _brainDx, to + c, to + _columns, dy, _accumulate);
            }
        }
    }

    private sealed class SplitNode : TapeNode
    {
        private Tensor _x = null!;
        private int _part;

        public void Set(Tensor x, int part) => (_x, _part) = (x, part);

        public override void Backward()
        {
            if (_x.DType != DType.F64)
            {
                Tensor dx = _x.GradientToWrite(out bool accumulate);
                SplitBackward.Go(Output.Gradient!, dx, accumulate, _part);
                return;
            }

            Span<double> dy = Output.Gradient!.Span<double>(), sum = GradientSum(_x);
            int C = Output.Shape.Columns;
            for (int i = 0; i < dy.Length; i++)
            {
                sum[(((i / C * Parts) + _part) * C) + (i % C)] += dy[i];
            }
        }

        public override void Return()
        {
            _x = null!;
            Give(this);
        }
    }
}
