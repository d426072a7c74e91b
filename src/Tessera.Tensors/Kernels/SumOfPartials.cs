using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Tessera.Tensors.Threading;

namespace Tessera.Tensors.Kernels;

/// <summary>Adds the partial sums that the items of a region left, item by item in order, into a gradient.</summary>
internal unsafe struct SumOfPartials : IParallelBody
{
    private const int ColumnsPerItem = 1024;
    private float* _partials;
    private float* _sum;
    private int _count;
    private int _columns;
    private bool _accumulate;

    /// <summary>
    /// Sets, or adds to, <paramref name="sum"/> (columns) the sum over the rows of <paramref name="partials"/> (count,
    /// columns).
    /// </summary>
    public static void Add(float* partials, int count, int columns, float* sum, bool accumulate)
    {
        SumOfPartials body = new()
        {
            _partials = partials,
            _sum = sum,
            _count = count,
            _columns = columns,
            _accumulate = accumulate,
        };
        Workers.Run((columns + ColumnsPerItem - 1) / ColumnsPerItem, ref body);
    }

    [MethodImpl(Compiled.Alone)]
    public readonly void Run(int index)
    {
        long end = Math.Min(_columns, (index + 1) * ColumnsPerItem);
        for (long c = index * ColumnsPerItem; c < end; c += IElement.Lanes)
        {
            Vector512<float> sum = Vector512<float>.Zero;
            for (int i = 0; i < _count; i++)
            {
                sum += Lanes.Load<Single32>(_partials + ((long)i * _columns), c, end);
            }

            Lanes.Put<Single32>(_sum, c, end, sum, _accumulate);
        }
    }
}
