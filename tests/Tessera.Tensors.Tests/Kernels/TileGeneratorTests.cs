using Iced.Intel;
using Tessera.Tensors.Kernels;
using Xunit;
using Decoder = Iced.Intel.Decoder;

namespace Tessera.Tensors.Tests.Kernels;

/// <summary>Looks at the code of every set on every machine, also of those that can't run here.</summary>
public sealed class TileGeneratorTests
{
    private static readonly CpuidFeature[] _common =
    [
        CpuidFeature.INTEL8086, CpuidFeature.INTEL386, CpuidFeature.X64, CpuidFeature.CMOV, CpuidFeature.SSE,
        CpuidFeature.PREFETCHW, CpuidFeature.AVX,
    ];

    private static readonly CpuidFeature[] _avx512 =
        [CpuidFeature.AVX512F, CpuidFeature.AVX512BW, CpuidFeature.AVX512VL];

    public static TheoryData<InstructionSet, bool> SetsAndConventions { get; } = new()
    {
        { InstructionSet.Avx2, false },
        { InstructionSet.Avx2, true },
        { InstructionSet.Avx512, false },
        { InstructionSet.Avx512, true },
        { InstructionSet.Avx512BFloat16, false },
        { InstructionSet.Avx512BFloat16, true },
    };

    [Theory]
    [MemberData(nameof(SetsAndConventions))]
    public void EveryTileDecodesToInstructionsOfItsSet(InstructionSet set, bool windows)
    {
        CpuidFeature[] allowed = [.. _common, .. set switch
        {
            InstructionSet.Avx2 => [CpuidFeature.AVX2, CpuidFeature.FMA],
            InstructionSet.Avx512 => _avx512,
            _ => [.. _avx512, CpuidFeature.AVX512_BF16],
        }];
        int tiles = 0;
        foreach (TileShape shape in TileShape.All(set))
        {
            tiles++;
            List<Instruction> code = Decode(new TileGenerator(shape).Assemble(windows));
            Assert.Equal(Mnemonic.Ret, code[^1].Mnemonic);
            foreach (Instruction instruction in code)
            {
                Assert.False(instruction.IsInvalid, $"{shape}: invalid at {instruction.IP:x}");
                foreach (CpuidFeature feature in instruction.CpuidFeatures)
                {
                    Assert.True(allowed.Contains(feature), $"{shape}: {instruction} needs {feature}");
                }
            }

            Code multiplyAdd = shape.BFloat16 ? Code.EVEX_Vdpbf16ps_zmm_k1z_zmm_zmmm512b32
                : set == InstructionSet.Avx2 ? Code.VEX_Vfmadd231ps_ymm_ymm_ymmm256
                : Code.EVEX_Vfmadd231ps_zmm_k1z_zmm_zmmm512b32_er;
            Assert.Equal(shape.Rows * shape.Vectors, code.Count(i => i.Code == multiplyAdd));
        }

        // 6 rows of one panel and 3 + 1 wider; 14 rows of half a panel and one, and 6 + 3 wider, in one type or two.
        Assert.Equal(set switch { InstructionSet.Avx2 => 10, InstructionSet.Avx512 => 37, _ => 74 }, tiles);
    }

    [Theory]
    [MemberData(nameof(SetsAndConventions))]
    public void EveryJumpLandsOnAnInstruction(InstructionSet set, bool windows)
    {
        foreach (TileShape shape in TileShape.All(set))
        {
            List<Instruction> code = Decode(new TileGenerator(shape).Assemble(windows));
            HashSet<ulong> starts = [.. code.Select(i => i.IP)];
            IEnumerable<Instruction> jumps = code.Where(i => i.IsJccShortOrNear || i.IsJmpShortOrNear);
            Assert.All(jumps, i => Assert.Contains(i.NearBranchTarget, starts));
        }
    }

    [Theory]
    [MemberData(nameof(SetsAndConventions))]
    public void WhatTheCallerKeepsIsRestored(InstructionSet set, bool windows)
    {
        Register[] everywhere =
            [Register.RBX, Register.RBP, Register.R12, Register.R13, Register.R14, Register.R15];
        Register[] kept = windows ? [.. everywhere, Register.RSI, Register.RDI] : everywhere;
        foreach (TileShape shape in TileShape.All(set))
        {
            List<Instruction> code = Decode(new TileGenerator(shape).Assemble(windows));
            Register[] pushed = [.. code.Where(i => i.Mnemonic == Mnemonic.Push).Select(i => i.Op0Register)];
            Register[] popped = [.. code.Where(i => i.Mnemonic == Mnemonic.Pop).Select(i => i.Op0Register)];
            Assert.Equal(pushed.Reverse(), popped);
            InstructionInfoFactory factory = new();
            foreach (Instruction instruction in code.Where(i => i.Mnemonic is not (Mnemonic.Push or Mnemonic.Pop)))
            {
                foreach (UsedRegister used in factory.GetInfo(instruction).GetUsedRegisters())
                {
                    if (used.Access is not (OpAccess.Read or OpAccess.CondRead or OpAccess.None)
                        && kept.Contains(used.Register.GetFullRegister()))
                    {
                        Assert.Contains(used.Register.GetFullRegister(), pushed);
                    }
                }
            }

            // Windows keeps xmm6 to xmm15 as well: ten saved, ten restored.
            int saved = code.Count(i => i.Code == Code.VEX_Vmovups_xmmm128_xmm && i.MemoryBase == Register.RSP);
            int restored = code.Count(i => i.Code == Code.VEX_Vmovups_xmm_xmmm128 && i.MemoryBase == Register.RSP);
            Assert.Equal(windows ? (10, 10) : (0, 0), (saved, restored));
        }
    }

    [Fact]
    public void ExecutableMemoryRuns()
    {
        if (System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture
            != System.Runtime.InteropServices.Architecture.X64)
        {
            Assert.Skip("the code is x64");
        }

        // mov eax, 42; ret
        nint code = ExecutableMemory.Place([0xB8, 42, 0, 0, 0, 0xC3]);
        int result;
        unsafe
        {
            result = ((delegate* unmanaged<int>)code)();
        }

        Assert.Equal(42, result);
    }

    private static List<Instruction> Decode(byte[] code)
    {
        Decoder decoder = Decoder.Create(64, code);
        List<Instruction> instructions = [];
        while (decoder.IP < (ulong)code.Length)
        {
            instructions.Add(decoder.Decode());
        }

        return instructions;
    }
}
