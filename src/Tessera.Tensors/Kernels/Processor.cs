using System.Runtime.Intrinsics.X86;

namespace Tessera.Tensors.Kernels;

/// <summary>Tells which instruction sets this processor and operating system can run.</summary>
public static class Processor
{
    private static readonly bool _hasBFloat16 = HasBFloat16();
    private static readonly InstructionSet[] _supported = FindSupported();

    /// <summary>
    /// Gets the set that kernels use unless told otherwise: the one that TESSERA_ISA names, or the best there is.
    /// </summary>
    /// <exception cref="InvalidOperationException">TESSERA_ISA names no set that can run here.</exception>
    public static InstructionSet Default => FindDefault(Environment.GetEnvironmentVariable("TESSERA_ISA"));

    /// <summary>Gets the sets that this processor can run, the plainest first.</summary>
    public static IReadOnlyList<InstructionSet> Supported => _supported;

    /// <summary>Tells whether this processor can run the set.</summary>
    public static bool Supports(InstructionSet set) => set switch
    {
        InstructionSet.Portable => true,
        InstructionSet.Avx2 => Avx2.X64.IsSupported && Fma.IsSupported,
        InstructionSet.Avx512 => Avx512F.X64.IsSupported && Avx512BW.VL.IsSupported && Avx512DQ.VL.IsSupported,
        InstructionSet.Avx512BFloat16 => Supports(InstructionSet.Avx512) && _hasBFloat16,
        _ => false,
    };

    internal static InstructionSet FindDefault(string? name)
    {
        InstructionSet best = _supported[^1];
        InstructionSet wanted = name switch
        {
            null or "" => best,
            "portable" => InstructionSet.Portable,
            "avx2" => InstructionSet.Avx2,
            "avx512" => best == InstructionSet.Avx512BFloat16 ? best : InstructionSet.Avx512,
            _ => throw new InvalidOperationException($"TESSERA_ISA: '{name}' is not one of avx512, avx2, portable"),
        };
        return Supports(wanted)
            ? wanted
            : throw new InvalidOperationException($"TESSERA_ISA: this processor has no {name}; its best is {best}");
    }

    // Loops, because queries over a library's own enums would have to be compiled each time a program starts.
    private static InstructionSet[] FindSupported()
    {
        int count = 0;
        InstructionSet[] sets =
            [InstructionSet.Portable, InstructionSet.Avx2, InstructionSet.Avx512, InstructionSet.Avx512BFloat16];
        foreach (InstructionSet set in sets)
        {
            if (Supports(set))
            {
                sets[count++] = set;
            }
        }

        return sets[..count];
    }

    // CPUID leaf 7, subleaf 1, EAX bit 5 (Intel SDM volume 2, CPUID). .NET has no flag for it.
    private static bool HasBFloat16() =>
        X86Base.IsSupported && X86Base.CpuId(7, 0).Eax >= 1 && (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0;
}
