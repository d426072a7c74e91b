namespace Tessera.Tensors.Kernels;

/// <summary>
/// Knows the layout of the right operand: panels of <see cref="KernelSet.TileColumns"/> columns, one after the other,
/// each [step][column] of 4 bytes (one fp32 value, or the bf16 values of rows 2·step and 2·step + 1), zero beyond the
/// matrix.
/// </summary>
public static unsafe class Panels
{
    /// <summary>
    /// Returns the steps of a product over <paramref name="rows"/> rows of B: as many in F32, half as many, rounded up,
    /// in BF16.
    /// </summary>
    public static int Steps(DType type, int rows) => type == DType.BF16 ? (rows / 2) + (rows % 2) : rows;

    /// <summary>Returns the bytes from one panel to the next.</summary>
    public static nint Stride(KernelSet kernels, DType type, int rows) =>
        (nint)Steps(type, rows) * kernels.TileColumns * 4;

    /// <summary>Returns the bytes of a packed matrix of rows × columns.</summary>
    public static long Bytes(KernelSet kernels, DType type, int rows, int columns) =>
        (long)Count(kernels, columns) * Stride(kernels, type, rows);

    /// <summary>
    /// Packs a matrix, on this thread, into <see cref="Bytes"/> bytes aligned to 64, to be multiplied in <paramref
    /// name="type"/>.
    /// </summary>
    public static void Pack(KernelSet kernels, DType type, MatrixView b, void* to)
    {
        int steps = Steps(type, b.Rows);
        nint stride = Stride(kernels, type, b.Rows);
        Strip strip = new(b, type, kernels.TileColumns, 0, Count(kernels, b.Columns), 0, steps, (byte*)to, stride);
        PanelPacking.Pack(in strip, 0, steps);
    }

    internal static int Count(KernelSet kernels, int columns) =>
        (int)(((long)columns + kernels.TileColumns - 1) / kernels.TileColumns);
}
