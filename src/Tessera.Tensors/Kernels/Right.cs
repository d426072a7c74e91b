namespace Tessera.Tensors.Kernels;

/// <summary>Is the right operand of a product, packed or still to be packed.</summary>
internal readonly unsafe struct Right
{
    private Right(MatrixView view, PackedMatrix? packed) => (View, Packed) = (view, packed);

    public MatrixView View { get; }

    public PackedMatrix? Packed { get; }

    public int Columns => Packed?.Columns ?? View.Columns;

    public static Right Of(MatrixView view) => new(view, null);

    public static Right Of(PackedMatrix packed) => new(default, packed);

    /// <summary>Packs a panel's steps <paramref name="first"/> to <paramref name="last"/> of a product in <paramref name="type"/>.</summary>
    public void PackPanel(KernelSet kernels, DType type, int panel, int first, int last, byte* to)
    {
        int width = kernels.TileColumns;
        if (Packed is null)
        {
            PanelPacking.Pack(View, type, width, panel * width, first, last, to);
            return;
        }

        // A bf16 panel for an fp32 product: each row of pairs becomes two rows.
        uint* pairs = (uint*)(Packed.Data + (panel * Packed.PanelStride));
        uint* values = (uint*)to;
        for (int step = first; step < last; step++)
        {
            uint* from = pairs + (step / 2 * width);
            for (int column = 0; column < width; column++)
            {
                *values++ = step % 2 == 0 ? from[column] << 16 : from[column] & 0xFFFF0000;
            }
        }
    }
}
