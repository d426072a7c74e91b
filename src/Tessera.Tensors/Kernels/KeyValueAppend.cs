using System.Runtime.CompilerServices;
using Tessera.Tensors.Threading;

namespace Tessera.Tensors.Kernels;

/// <summary>Writes rows of keys and values into the blocks of a cache, one head an item.</summary>
internal unsafe struct KeyValueAppend : IParallelBody
{
    // Below this, waking another thread costs more than the copying.
    private const long SmallestShared = 1 << 15;

    private KeyValueCache _cache;
    private Segments _segments;
    private Tensor _k;
    private Tensor _v;
    private int _layer;

    public static void Run(KeyValueCache cache, int layer, Segments segments, Tensor k, Tensor v)
    {
        KeyValueAppend body = new() { _cache = cache, _segments = segments, _k = k, _v = v, _layer = layer };
        int heads = cache.Size.KeyHeads;
        if (k.Shape.Count >= SmallestShared)
        {
            Workers.Run(heads, ref body);
            return;
        }

        for (int head = 0; head < heads; head++)
        {
            body.Run(head);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public readonly void Run(int index)
    {
        switch (_k.DType, _cache.Size.Type)
        {
            case (DType.F32, DType.F32): Copy<float, float, Same<float>>(index); break;
            case (DType.BF16, DType.BF16): Copy<BFloat16, BFloat16, Same<BFloat16>>(index); break;
            case (DType.F64, DType.F64): Copy<double, double, Same<double>>(index); break;
            case (DType.F32, DType.BF16): Copy<float, BFloat16, Rounded>(index); break;
            default: Copy<BFloat16, float, Widened>(index); break;
        }
    }

    private readonly void Copy<TFrom, TTo, TConversion>(int head)
        where TFrom : unmanaged
        where TTo : unmanaged
        where TConversion : struct, IConversion<TFrom, TTo>
    {
        KeyValueCacheSize size = _cache.Size;
        int D = size.HeadSize;
        for (int segment = 0; segment < _segments.Count; segment++)
        {
            ReadOnlySpan<int> blocks = _segments.Blocks(segment);
            for (int row = 0; row < _segments.Length(segment); row++)
            {
                int position = _segments.Past(segment) + row, place = position % size.BlockPositions;
                int block = blocks[position / size.BlockPositions];
                TTo* keys = (TTo*)_cache.Keys(_layer, block, head), values = (TTo*)_cache.Values(_layer, block, head);
                if (place == 0)
                {
                    // Kernels read whole panels: beyond the last position nothing of a former sequence may stand (0 ·
                    // NaN).
                    new Span<byte>(keys, (int)size.HeadBytes(_cache.PanelColumns)).Clear();
                }

                long at = ((((long)_segments.Start(segment) + row) * size.KeyHeads) + head) * D;
                TFrom* k = (TFrom*)_k.Data + at, v = (TFrom*)_v.Data + at;
                for (int d = 0; d < D; d++)
                {
                    keys[_cache.KeyIndex(place, d)] = TConversion.Convert(k[d]);
                    values[_cache.ValueIndex(place, d)] = TConversion.Convert(v[d]);
                }
            }
        }
    }

    private interface IConversion<TFrom, TTo>
    {
        static abstract TTo Convert(TFrom value);
    }

    private readonly struct Same<T> : IConversion<T, T>
    {
        public static T Convert(T value) => value;
    }

    private readonly struct Rounded : IConversion<float, BFloat16>
    {
        public static BFloat16 Convert(float value) => (BFloat16)value;
    }

    private readonly struct Widened : IConversion<BFloat16, float>
    {
        public static float Convert(BFloat16 value) => value;
    }
}
