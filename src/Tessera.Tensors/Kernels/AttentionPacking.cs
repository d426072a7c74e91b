using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Tessera.Tensors.Kernels;

/// <summary>Brings heads of queries, keys and values into the layouts that tiles read, and results back.</summary>
internal static unsafe class AttentionPacking
{
    private const int CacheLine = 64;

    /// <summary>Returns the rows of one head as a matrix of rows × D.</summary>
    public static MatrixView Head(void* data, DType type, long firstRow, int rows, int heads, int head, int headSize) =>
        new(
            (byte*)data + (((firstRow * heads) + head) * headSize * type.Size()),
            type, rows, headSize, heads * headSize);

    /// <summary>
    /// Packs columns of a matrix into panels of <paramref name="steps"/> steps each; steps beyond the matrix become
    /// zero.
    /// </summary>
    public static void Panels(MatrixView b, DType type, int width, int steps, byte* to)
    {
        int filled = Kernels.Panels.Steps(type, b.Rows), panels = (b.Columns + width - 1) / width;
        nint stride = (nint)steps * width * sizeof(uint);
        Strip strip = new(b, type, width, 0, panels, 0, filled, to, stride);
        PanelPacking.Pack(in strip, 0, filled);
        for (int panel = 0; panel < panels; panel++)
        {
            new Span<uint>(strip.Step(panel, filled), (steps - filled) * width).Clear();
        }
    }

    /// <summary>
    /// Copies lines one after the other, converted to the call's arithmetic, with a zero where a bf16 line would end in
    /// half a pair.
    /// </summary>
    public static void Lines(
        ref readonly AttentionCall call, void* source, DType type, LineCursor cursor, int lines, byte* to)
    {
        int D = call.HeadSize, bytes = D * type.Size(), stride = call.Steps * sizeof(uint);
        for (int i = 0; i < lines; i++, to += stride, cursor.Next())
        {
            byte* from = (byte*)source + (cursor.Index * bytes);
            if (type == call.Arithmetic && bytes % Vector512<byte>.Count == 0)
            {
                for (int b = 0; b < bytes; b += Vector512<byte>.Count)
                {
                    Vector512.Load(from + b).Store(to + b);
                }
            }
            else if (type == DType.F32)
            {
                Convert<Single32>(from, to, call.Arithmetic, D);
            }
            else
            {
                Convert<Brain16>(from, to, call.Arithmetic, D);
            }

            if (call.Pairs && (D & 1) != 0)
            {
                ((BFloat16*)to)[D] = default;
            }
        }
    }

    /// <summary>
    /// Packs lines of bf16 that lie one after the other into panels of pairs of lines, [panel][pair][entry]; an odd
    /// last line is paired with zeros.
    /// </summary>
    [MethodImpl(Compiled.Alone)]
    public static void LinePairs(byte* from, int stride, int lines, int entries, int width, byte* to)
    {
        int pairs = (lines + 1) / 2, whole = lines / 2;
        for (int column = 0; column < entries; column += width)
        {
            int count = Math.Min(width, entries - column), end = (count + VectorMath.Width - 1) & -VectorMath.Width;
            for (int pair = 0; pair < pairs; pair++, to += width * sizeof(uint))
            {
                byte* even = from + ((nint)2 * pair * stride) + (column * sizeof(ushort));
                bool alone = pair == whole;
                for (int c = 0; c < end; c += VectorMath.Width)
                {
                    Vector512<uint> low = Lanes.Load<Brain16>(even, c, count).AsUInt32();
                    Vector512<uint> high = alone ? default : Lanes.Load<Brain16>(even + stride, c, count).AsUInt32();
                    (low >>> 16 | high).Store((uint*)to + c);
                }

                for (int c = end; c < width; c += VectorMath.Width)
                {
                    Vector512<uint>.Zero.Store((uint*)to + c);
                }
            }
        }
    }

    /// <summary>
    /// Asks for lines that are soon read or written: they lie H · D apart, where no processor looks for them by itself,
    /// and waiting for them one after the other was measured to take as long as the products.
    /// </summary>
    public static void Fetch(void* data, DType type, LineCursor cursor, int lines, int headSize)
    {
        if (data is null || !Sse.IsSupported)
        {
            return;
        }

        int bytes = headSize * type.Size();
        for (int i = 0; i < lines; i++, cursor.Next())
        {
            byte* line = (byte*)data + (cursor.Index * bytes);
            for (int b = 0; b < bytes; b += CacheLine)
            {
                Sse.Prefetch1(line + b);
            }
        }
    }

    /// <summary>Turns pairs of bf16, [step][column][2], into the two rows of fp32 that they stand for.</summary>
    [MethodImpl(Compiled.Alone)]
    public static void WidenPairs(uint* from, int steps, int columns, float* to)
    {
        Vector256<uint> high = Vector256.Create(0xFFFF0000u);
        for (int step = 0; step < steps; step++, from += columns, to += 2 * columns)
        {
            for (int c = 0; c < columns; c += Vector256<uint>.Count)
            {
                Vector256<uint> pairs = Vector256.Load(from + c);
                (pairs << 16).AsSingle().Store(to + c);
                (pairs & high).AsSingle().Store(to + columns + c);
            }
        }
    }

    /// <summary>
    /// Stores a tile's sums, [panel][line][column], times a factor a line, or adds them. Which zero a sum of zeros is
    /// may depend on the tile (keys of weight 0), so 0 is stored for -0.
    /// </summary>
    /// <param name="sums">The sums; padded columns are not stored.</param>
    /// <param name="lines">The lines of the tile.</param>
    /// <param name="stored">How many of them are stored.</param>
    /// <param name="factors">A factor for each line.</param>
    /// <param name="call">The sizes.</param>
    /// <param name="to">Where the first line goes, and the others after it.</param>
    /// <param name="cursor">The first line's place.</param>
    public static void StoreTile(
        float* sums, int lines, int stored, float* factors, ref readonly AttentionCall call,
        AttentionGradients.Target to, LineCursor cursor)
    {
        if (to.Type == DType.F32)
        {
            StoreTile<Single32>(sums, lines, stored, factors, in call, to, cursor);
        }
        else
        {
            StoreTile<Brain16>(sums, lines, stored, factors, in call, to, cursor);
        }
    }

    [MethodImpl(Compiled.Alone)]
    private static void StoreTile<T>(
        float* sums, int lines, int stored, float* factors, ref readonly AttentionCall call,
        AttentionGradients.Target to, LineCursor cursor)
        where T : struct, IElement
    {
        int D = call.HeadSize, W = call.Columns, panels = call.ValuePanels;
        byte* data = to.Data;
        bool accumulates = to.Accumulates;
        for (int i = 0; i < stored; i++, sums += W, cursor.Next())
        {
            Vector512<float> factor = Vector512.Create(factors[i]);
            long start = cursor.Index * D, end = start + D;
            float* panel = sums;
            for (int p = 0; p < panels; p++, panel += lines * W, start += W)
            {
                for (int c = 0; c < W && start + c < end; c += IElement.Lanes)
                {
                    Vector512<float> values = (Vector512.Load(panel + c) * factor) + Vector512<float>.Zero;
                    Lanes.Put<T>(data, start + c, end, values, accumulates);
                }
            }
        }
    }

    [MethodImpl(Compiled.Alone)]
    private static void Convert<T>(byte* from, byte* to, DType wanted, int count)
        where T : struct, IElement
    {
        for (int i = 0; i < count; i += IElement.Lanes)
        {
            Vector512<float> values = Lanes.Load<T>(from, i, count);
            if (wanted == DType.F32)
            {
                Lanes.Store<Single32>(to, i, count, values);
            }
            else
            {
                Lanes.Store<Brain16>(to, i, count, values);
            }
        }
    }
}
