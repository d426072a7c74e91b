namespace Tessera.Tensors.Kernels;

/// <summary>Is the right operand of a product, packed or still to be packed.</summary>
internal readonly unsafe struct Right
{
    private Right(MatrixView view, PackedMatrix? packed) => (View, Packed) = (view, packed);

    public MatrixView View { get; }

    public PackedMatrix? Packed { get; }

    public static Right Of(MatrixView view) => new(view, null);

    public static Right Of(PackedMatrix packed) => new(default, packed);

    /// <summary>
    /// Packs steps <paramref name="first"/> to <paramref name="last"/> of some panels on all threads.
    /// </summary>
    public void Pack(
        KernelSet kernels, DType type, int panel, int panels, int first, int last, byte* to, nint panelStride)
    {
        Strip strip = new(View, type, kernels.TileColumns, panel, panels, first, last, to, panelStride);
        new Packing(this, strip).Run();
    }

    /// <summary>Widens steps of a bf16 panel for a product in fp32: each row of pairs becomes two rows.</summary>
    public void WidenPanel(int panel, int first, int last, byte* to)
    {
        int width = Packed!.Kernels.TileColumns;
        uint* pairs = (uint*)(Packed.Data + (panel * Packed.PanelStride));
        uint* values = (uint*)to;
        for (int step = first; step < last; step++)
        {
            uint* from = pairs + ((nint)(step / 2) * width);
            for (int column = 0; column < width; column++)
            {
                *values++ = step % 2 == 0 ? from[column] << 16 : from[column] & 0xFFFF0000;
            }
        }
    }
}
