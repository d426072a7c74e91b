using System.Runtime.InteropServices;

namespace Tessera.Tensors.Kernels;

/// <summary>
/// Describes one register tile of a matrix product to <see cref="KernelSet.Tile"/>:
/// C (rows × columns) = A (rows × K) · B (K × columns), summed in fp32 in the order of K.
/// </summary>
/// <remarks>
/// A step takes 4 bytes of each row of A: one fp32 value, or two bf16 values that follow each other in K. B is a panel
/// of <see cref="KernelSet.TileColumns"/> columns, [step][column] of the same 4 bytes, zero where there is no column or
/// no second value. A may lie in rows (<see cref="AStep"/> 4) or in panels like B's ([step][row]: <see
/// cref="ARowStride"/> 4).
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct TileArguments
{
    /// <summary>The first row's first step.</summary>
    public void* A;

    /// <summary>Bytes from a row of A to the next.</summary>
    public nint ARowStride;

    /// <summary>Bytes from a step of A to the next.</summary>
    public nint AStep;

    /// <summary>The panel's first step.</summary>
    public void* B;

    /// <summary>Bytes from a panel of B to the next; read only by tiles wider than a panel.</summary>
    public nint BPanelStride;

    /// <summary>The number of steps: K in fp32, half of K, rounded up, in bf16.</summary>
    public nint Steps;

    /// <summary>The first element of C.</summary>
    public void* C;

    /// <summary>Bytes from a row of C to the next.</summary>
    public nint CRowStride;

    /// <summary>One value a column that is added to the finished sums, or null.</summary>
    public float* Bias;

    /// <summary>
    /// Unfinished sums of a product whose K is done in several calls: dense rows of the tile's full width.
    /// </summary>
    public float* Partial;

    /// <summary>Memory that a later tile will read and that is fetched meanwhile, or null.</summary>
    public void* Next;

    /// <summary>Bytes of <see cref="Next"/> that are fetched in each step.</summary>
    public nint NextStep;

    /// <summary>The number of columns of C that exist.</summary>
    public int Columns;

    /// <summary>What is done with the sums.</summary>
    public TileOptions Options;
}
