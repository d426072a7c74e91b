using System.Runtime.CompilerServices;
using Tessera.Tensors.Threading;

namespace Tessera.Tensors.Kernels;

/// <summary>
/// Computes attention's gradient: one sequence and key head an item, which no other item writes to. Where few long
/// items would leave threads idle, each is cut into runs of rows that compute the gradient of the queries and runs that
/// compute that of keys and values, at the price of computing the scores twice. The shapes alone decide, and every sum
/// has one order, so the threads don't matter.
/// </summary>
internal unsafe struct AttentionBackward : IParallelBody
{
    // One item of more than half of the work is cut.
    private const int FewestItems = 2;

    private const int RowsPerRun = 256;

    private readonly AttentionCall _call;
    private readonly AttentionGradients _gradients;
    private readonly AttentionItems _items;
    private readonly bool _cut;

    private AttentionBackward(in AttentionCall call, in AttentionGradients gradients, AttentionItems items, bool cut) =>
        (_call, _gradients, _items, _cut) = (call, gradients, items, cut);

    /// <summary>Writes, or adds to, the gradients of queries, keys, values and sinks.</summary>
    public static void Run(in AttentionCall call, in AttentionGradients gradients)
    {
        AttentionItems items = new(call.Segments, call.KeyHeads, int.MaxValue);
        bool cut = items.LongestWork * FewestItems > items.Work && items.LongestLength > RowsPerRun;
        if (cut)
        {
            items.Recycle();
            items = new(call.Segments, call.KeyHeads, RowsPerRun);
        }

        Tensor? parts = gradients.Sinks.Data is null ? null : Tensor.Create(
            new Shape(items.Runs, call.Heads), DType.F32);
        AttentionGradients all = gradients with { SinkParts = parts is null ? null : (float*)parts.Data };
        AttentionBackward body = new(in call, in all, items, cut);
        Workers.Run(cut ? 2 * items.Count : items.Count, ref body);
        AddSinks(parts, gradients.Sinks);
        parts?.Recycle();
        items.Recycle();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public readonly void Run(int index)
    {
        (int run, int segment, int firstRow, int rows, int head) = _items.Item(_cut ? index / 2 : index);
        int end = firstRow + rows;
        AttentionPart part = new(run, segment, head, firstRow, end, firstRow, end, true, true);
        if (_cut && index % 2 == 0)
        {
            part = part with { FirstKey = _call.FirstKey(firstRow), WantsKeys = false };
        }
        else if (_cut)
        {
            int length = _call.Segments.Length(segment);
            part = part with { EndRow = (int)Math.Min(length, (long)end - 1 + _call.Window), WantsQueries = false };
        }

        AttentionGradientItem.Run(in _call, in _gradients, in part);
    }

    private static void AddSinks(Tensor? parts, AttentionGradients.Target to)
    {
        if (parts is null)
        {
            return;
        }

        ReadOnlySpan<float> values = parts.Span<float>();
        Span<float> sum = new(to.Data, parts.Shape.Columns);
        if (!to.Accumulates)
        {
            sum.Clear();
        }

        for (int i = 0; i < values.Length; i++)
        {
            sum[i % sum.Length] += values[i];
        }
    }
}
