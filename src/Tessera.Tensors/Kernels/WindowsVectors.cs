using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Tessera.Tensors.Kernels;

/// <summary>
/// Saves and restores xmm6 to xmm15, which Windows' calling convention keeps for the caller (the upper parts of those
/// registers, and all vector registers elsewhere, are free).
/// </summary>
internal static class WindowsVectors
{
    private const int First = 6, Count = 10, Bytes = 16;

    /// <summary>Puts the registers onto the stack.</summary>
    public static void Save(Assembler code)
    {
        code.sub(rsp, Count * Bytes);
        for (int i = 0; i < Count; i++)
        {
            code.vmovups(__[rsp + (i * Bytes)], Vector(i));
        }
    }

    /// <summary>Takes them back.</summary>
    public static void Restore(Assembler code)
    {
        for (int i = 0; i < Count; i++)
        {
            code.vmovups(Vector(i), __[rsp + (i * Bytes)]);
        }

        code.add(rsp, Count * Bytes);
    }

    private static AssemblerRegisterXMM Vector(int index) => new(Register.XMM0 + First + index);
}
