using System.Numerics;
using System.Runtime.CompilerServices;
using Tessera.Tensors.Kernels;
using Tessera.Tensors.Threading;

namespace Tessera.Tensors;

/// <content>Embedding: row i of the result is row ids[i] of the table.</content>
public static unsafe partial class Ops
{
    /// <summary>Gathers the rows <paramref name="ids"/> of <paramref name="table"/> (V, C).</summary>
    /// <param name="table">F32, BF16 (widened) or F64.</param>
    /// <param name="ids">N ids, each in [0, V); copied where a tape runs, so the caller may reuse its array.</param>
    /// <returns>A tensor (N, C) in F32 (F64 for an F64 table).</returns>
    /// <exception cref="ArgumentException">An id is outside the table.</exception>
    public static Tensor Embedding(Parameter table, ReadOnlySpan<int> ids)
    {
        (int V, int C) = table.Shape;
        for (int n = 0; n < ids.Length; n++)
        {
            if ((uint)ids[n] >= (uint)V)
            {
                throw new ArgumentException($"Embedding: id {ids[n]} at place {n}, {table.Name} has {V} rows");
            }
        }

        Tensor y = Tensor.Create(new Shape(ids.Length, C), table.Value.DType == DType.F64 ? DType.F64 : DType.F32);
        switch (table.Value.DType)
        {
            case DType.F64: EmbeddingReference<double>(table.Value.Span<double>(), ids, y.Span<double>(), C); break;
            case DType.F32: EmbeddingReference<float>(table.Value.Span<float>(), ids, y.Span<float>(), C); break;
            case DType.BF16: EmbeddingOfBFloat16((BFloat16*)table.Value.Data, ids, (float*)y.Data, C); break;
            default: throw Unsupported("Embedding", table.Value, y);
        }

        Tape.Record<EmbeddingNode>(y, !table.Frozen)?.Set(table, ids);
        return y;
    }

    /// <summary>The definition; rows are copied, so it is the fast version too.</summary>
    public static void EmbeddingReference<T>(ReadOnlySpan<T> table, ReadOnlySpan<int> ids, Span<T> y, int columns)
        where T : unmanaged
    {
        for (int n = 0; n < ids.Length; n++)
        {
            table.Slice(checked(ids[n] * columns), columns).CopyTo(y.Slice(n * columns, columns));
        }
    }

    /// <summary>
    /// The gradient's definition: repeated ids add up in <paramref name="dTable"/>, in the order of the rows.
    /// </summary>
    public static void EmbeddingReferenceGradient<T>(
        ReadOnlySpan<int> ids, ReadOnlySpan<T> dy, Span<T> dTable, int columns)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (int n = 0; n < ids.Length; n++)
        {
            for (int c = 0; c < columns; c++)
            {
                dTable[(ids[n] * columns) + c] += dy[(n * columns) + c];
            }
        }
    }

    private static void EmbeddingOfBFloat16(BFloat16* table, ReadOnlySpan<int> ids, float* y, long C)
    {
        for (int n = 0; n < ids.Length; n++)
        {
            for (long c = 0; c < C; c += IElement.Lanes)
            {
                Lanes.Store<Single32>(y + (n * C), c, C, Lanes.Load<Brain16>(table + (ids[n] * C), c, C));
            }
        }
    }

    /// <summary>
    /// Adds rows of dy into the table's gradient: an item owns some columns, so that rows add up in their order.
    /// </summary>
    private struct EmbeddingBackward : IParallelBody
    {
        private const int ColumnsPerItem = 64;
        private int* _ids;
        private float* _dy;
        private float* _dTable;
        private int _rows;
        private int _columns;

        public static void Go(int* ids, int rows, Tensor dy, Tensor dTable)
        {
            EmbeddingBackward body = new()
            {
                _ids = ids,
                _dy = (float*)dy.Data,
                _dTable = (float*)dTable.Data,
                _rows = rows,
                _columns = dy.Shape.Columns,
            };
            Workers.Run((body._columns + ColumnsPerItem - 1) / ColumnsPerItem, ref body);
        }

        [MethodImpl(Compiled.Alone)]
        public readonly void Run(int index)
        {
            long first = (long)index * ColumnsPerItem, end = Math.Min(_columns, first + ColumnsPerItem);
            for (int n = 0; n < _rows; n++)
            {
                float* from = _dy + ((long)n * _columns), to = _dTable + ((long)_ids[n] * _columns);
                for (long c = first; c < end; c += IElement.Lanes)
                {
                    Lanes.Put<Single32>(to, c, end, Lanes.Load<Single32>(from, c, end), accumulate: true);
                }
            }
        }
    }

    private sealed class EmbeddingNode : TapeNode
    {
        private Parameter _table = null!;
        private Tensor _ids = null!;

        public void Set(Parameter table, ReadOnlySpan<int> ids) =>
            (_table, _ids) = (table, Tensor.From(new Shape(ids.Length), ids));

        public override void Backward()
        {
            Tensor dTable = _table.GradientToWrite(out bool accumulate);
            if (!accumulate)
            {
                dTable.Clear();
            }

            if (dTable.DType == DType.F64)
            {
                EmbeddingReferenceGradient<double>(
                    _ids.Span<int>(), Output.Gradient!.Span<double>(), dTable.Span<double>(), _table.Shape.Columns);
            }
            else
            {
                EmbeddingBackward.Go((int*)_ids.Data, _ids.Shape[0], Output.Gradient!, dTable);
            }
        }

        public override void Return()
        {
            (_table, _ids) = (null!, null!);
            Give(this);
        }
    }
}
