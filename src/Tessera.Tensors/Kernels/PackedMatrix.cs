using Tessera.Tensors.Memory;

namespace Tessera.Tensors.Kernels;

/// <summary>
/// Holds the right operand of products in the layout that the kernels read; <see cref="Matmul.Pack"/> fills it, as
/// often as the matrix changes, and keeps the memory.
/// </summary>
public sealed unsafe class PackedMatrix : IDisposable
{
    private NativeBlock? _block;

    /// <summary>Makes an empty one for the given kernels; null: <see cref="KernelSet.Default"/>.</summary>
    public PackedMatrix(KernelSet? kernels = null) => Kernels = kernels ?? KernelSet.Default;

    /// <summary>Gets the kernels that the layout is for.</summary>
    public KernelSet Kernels { get; }

    /// <summary>Gets the type that the products multiply in: F32, or BF16.</summary>
    public DType Type { get; private set; }

    /// <summary>Gets the rows of the matrix: K of the product.</summary>
    public int Rows { get; private set; }

    /// <summary>Gets the columns of the matrix.</summary>
    public int Columns { get; private set; }

    /// <summary>Gets the bytes that it occupies.</summary>
    public long Bytes => _block?.Bytes ?? 0;

    internal byte* Data => _block is null ? null : (byte*)_block.Pointer;

    internal nint PanelStride => Panels.Stride(Kernels, Type, Rows);

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        _block?.Dispose();
        _block = null;
        (Rows, Columns) = (0, 0);
    }

    internal void Resize(DType type, int rows, int columns)
    {
        (Type, Rows, Columns) = (type, rows, columns);
        long bytes = Panels.Bytes(Kernels, type, rows, columns);
        if (_block is null || _block.Bytes < bytes)
        {
            _block?.Dispose();
            _block = null;
            _block = new NativeBlock(bytes);
        }
    }
}
