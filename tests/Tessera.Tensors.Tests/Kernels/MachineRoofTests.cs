using Iced.Intel;
using Tessera.Tensors.Kernels;
using Xunit;
using Decoder = Iced.Intel.Decoder;

namespace Tessera.Tensors.Tests.Kernels;

public sealed class MachineRoofTests
{
    public static TheoryData<InstructionSet> Sets => [.. Processor.Supported];

    [Theory]
    [MemberData(nameof(Sets))]
    public void OperationsAreCountedByTheClock(InstructionSet set)
    {
        KernelSet kernels = KernelSet.For(set);
        double usual = MachineRoof.Flops(DType.F32, TimeProvider.System, 1, kernels, seconds: 0.002);

        // No core does fewer than a million operations a second, or a thousand million million.
        Assert.InRange(usual, 1e6, 1e15);

        // A clock that runs a thousand times as fast sees a thousandth of the speed; a loaded machine may take a part.
        double slow = MachineRoof.Flops(DType.F32, new FastClock(), 1, kernels, seconds: 0.002);
        Assert.InRange(slow / usual, 0, 0.1);
    }

    // Windows keeps xmm6 to xmm15 for the caller: ten saved, ten restored.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WhatTheCallerKeepsIsRestored(bool windows)
    {
        foreach (VectorCode vector in new[] { VectorCode.Avx2, VectorCode.Avx512 })
        {
            byte[] loop = MachineRoof.Assemble(vector, bfloat16: false, windows);
            Decoder decoder = Decoder.Create(64, loop);
            List<Instruction> code = [];
            while (decoder.IP < (ulong)loop.Length)
            {
                code.Add(decoder.Decode());
            }

            int saved = code.Count(i => i.Code == Code.VEX_Vmovups_xmmm128_xmm && i.MemoryBase == Register.RSP);
            int restored = code.Count(i => i.Code == Code.VEX_Vmovups_xmm_xmmm128 && i.MemoryBase == Register.RSP);
            Assert.Equal(windows ? (10, 10) : (0, 0), (saved, restored));
            Assert.Equal(Mnemonic.Ret, code[^1].Mnemonic);
        }
    }

    [Fact]
    public void BytesAreCountedByTheClock()
    {
        double usual = MachineRoof.ReadBytes(TimeProvider.System, 1, passes: 2);
        Assert.InRange(usual, 1e7, 1e13);
        Assert.InRange(MachineRoof.ReadBytes(new FastClock(), 1, passes: 2) / usual, 0, 0.1);
    }

    private sealed class FastClock : TimeProvider
    {
        public override long TimestampFrequency => System.TimestampFrequency / 1000;

        public override long GetTimestamp() => System.GetTimestamp();
    }
}
