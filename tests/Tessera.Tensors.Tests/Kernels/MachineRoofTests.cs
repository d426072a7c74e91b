using Tessera.Tensors.Kernels;
using Xunit;

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
