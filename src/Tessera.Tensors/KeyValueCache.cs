using Tessera.Tensors.Kernels;
using Tessera.Tensors.Memory;

namespace Tessera.Tensors;

/// <summary>
/// Holds the keys and values of past positions of all layers in blocks. Who owns a block is the engine's affair: a
/// <see cref="Segments"/> names the blocks of each sequence, and the same block numbers hold in every layer.
/// </summary>
/// <remarks>
/// Entries lie as the kernels read them: a head's keys of a block in panels of some positions,
/// [panel][entry][position], so that scores of neighbouring positions are lanes of a vector; its values in panels of
/// some entries, [panel][position][entry]. In BF16 two neighbours of the middle index (entries of a key, positions of a
/// value) stand together.
/// </remarks>
public sealed unsafe class KeyValueCache : IDisposable
{
    private readonly NativeBlock?[] _layers;
    private readonly long _headBytes;

    /// <summary>
    /// Reserves the memory of the given sizes, laid out for the given kernels; null: <see cref="KernelSet.Default"/>.
    /// </summary>
    /// <exception cref="InsufficientMemoryException">The system has not got the memory.</exception>
    public KeyValueCache(KeyValueCacheSize size, KernelSet? kernels = null)
    {
        Size = size;
        Kernels = kernels ?? KernelSet.Default;
        PanelColumns = Kernels.TileColumns;
        _headBytes = size.HeadBytes(PanelColumns);
        _layers = new NativeBlock?[size.Layers];
        try
        {
            for (int i = 0; i < _layers.Length; i++)
            {
                _layers[i] = new NativeBlock(_headBytes * size.KeyHeads * size.Blocks);
            }
        }
        catch (InsufficientMemoryException)
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Gets the sizes.</summary>
    public KeyValueCacheSize Size { get; }

    /// <summary>Gets the kernels that read the cache.</summary>
    public KernelSet Kernels { get; }

    /// <summary>Gets the columns of a panel.</summary>
    internal int PanelColumns { get; }

    /// <summary>
    /// Writes the keys and values of the batch's rows to their positions in the blocks of their sequences.
    /// </summary>
    /// <param name="layer">The layer whose keys and values they are.</param>
    /// <param name="segments">The rows' sequences, with their blocks.</param>
    /// <param name="k">Keys (N, K, D) of the cache's type, or F32 and BF16 in either.</param>
    /// <param name="v">Values (N, K, D) of the same type.</param>
    /// <exception cref="ArgumentException">
    /// Shapes or types don't fit, or a segment's blocks don't hold its positions or don't exist.
    /// </exception>
    public void Append(int layer, Segments segments, Tensor k, Tensor v)
    {
        Require(layer, segments);
        Shape wanted = new(segments.Rows, Size.KeyHeads, Size.HeadSize);
        if (k.Shape != wanted || v.Shape != wanted || k.DType != v.DType ||
            (k.DType == DType.F64) != (Size.Type == DType.F64))
        {
            throw new ArgumentException(
                $"KeyValueCache: keys {k} and values {v} where {wanted} is wanted for a cache of {Size.Type}");
        }

        KeyValueAppend.Run(this, layer, segments, k, v);
    }

    /// <summary>
    /// Copies what one block holds, in all layers, to another: for sequences that go apart within a block.
    /// </summary>
    public void CopyBlock(int from, int to)
    {
        RequireBlock(from);
        RequireBlock(to);
        for (int layer = 0; layer < Size.Layers; layer++)
        {
            long bytes = _headBytes * Size.KeyHeads;
            Buffer.MemoryCopy(Keys(layer, from, 0), Keys(layer, to, 0), bytes, bytes);
        }
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        foreach (NativeBlock? block in _layers)
        {
            block?.Dispose();
        }
    }

    /// <summary>Checks that a layer exists and that each segment's blocks hold its past and its rows.</summary>
    internal void Require(int layer, Segments segments)
    {
        if ((uint)layer >= (uint)Size.Layers)
        {
            throw new ArgumentOutOfRangeException(
                nameof(layer), layer, $"KeyValueCache: there are {Size.Layers} layers");
        }

        for (int i = 0; i < segments.Count; i++)
        {
            ReadOnlySpan<int> blocks = segments.Blocks(i);
            long held = (long)blocks.Length * Size.BlockPositions;
            if (segments.Past(i) + segments.Length(i) > held)
            {
                throw new ArgumentException(
                    $"KeyValueCache: segment {i} has {segments.Past(i)} past positions and " +
                    $"{segments.Length(i)} rows, its {blocks.Length} blocks hold {held}");
            }

            foreach (int block in blocks)
            {
                RequireBlock(block);
            }
        }
    }

    /// <summary>Returns the keys of a head in a block.</summary>
    internal byte* Keys(int layer, int block, int head)
    {
        byte* memory = (byte*)_layers[layer]!.Pointer;
        ObjectDisposedException.ThrowIf(memory is null, this);
        return memory + ((((long)block * Size.KeyHeads) + head) * _headBytes);
    }

    /// <summary>Returns the values of a head in a block.</summary>
    internal byte* Values(int layer, int block, int head) => Keys(layer, block, head) + Size.KeyBytes;

    /// <summary>Returns where in a block's keys the entry of a position lies, in elements.</summary>
    internal long KeyIndex(int position, int entry)
    {
        int W = PanelColumns, panel = position / W, column = position % W;
        long first = (long)panel * W * ((Size.HeadSize + 1) / 2 * 2);
        return Size.Type == DType.BF16
            ? first + (((((long)entry / 2) * W) + column) * 2) + (entry & 1)
            : first + ((long)entry * W) + column;
    }

    /// <summary>Returns where in a block's values the entry of a position lies, in elements.</summary>
    internal long ValueIndex(int position, int entry)
    {
        int W = PanelColumns, panel = entry / W, column = entry % W;
        long first = (long)panel * W * Size.BlockPositions;
        return Size.Type == DType.BF16
            ? first + (((((long)position / 2) * W) + column) * 2) + (position & 1)
            : first + ((long)position * W) + column;
    }

    /// <summary>
    /// Copies the keys and values of a sequence's first positions out, as (positions, K, D): for the reference.
    /// </summary>
    internal void CopyOut<T>(int layer, ReadOnlySpan<int> blocks, int positions, Span<T> k, Span<T> v)
        where T : unmanaged
    {
        int D = Size.HeadSize, P = Size.BlockPositions;
        for (int i = 0, at = 0; i < positions; i++)
        {
            for (int h = 0; h < Size.KeyHeads; h++)
            {
                T* keys = (T*)Keys(layer, blocks[i / P], h), values = (T*)Values(layer, blocks[i / P], h);
                for (int d = 0; d < D; d++, at++)
                {
                    k[at] = keys[KeyIndex(i % P, d)];
                    v[at] = values[ValueIndex(i % P, d)];
                }
            }
        }
    }

    private void RequireBlock(int block)
    {
        if ((uint)block >= (uint)Size.Blocks)
        {
            throw new ArgumentException($"KeyValueCache: block {block}, there are {Size.Blocks}");
        }
    }
}
