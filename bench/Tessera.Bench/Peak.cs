using Iced.Intel;
using Tessera.Tensors;
using Tessera.Tensors.Kernels;
using Tessera.Tensors.Threading;
using static Iced.Intel.AssemblerRegisters;

namespace Tessera.Bench;

/// <summary>
/// Measures the most multiply-adds a second that the threads can do: generated loops that touch registers alone.
/// </summary>
internal sealed unsafe class Peak
{
    // Enough independent sums that none waits for itself (latency 4 to 6 cycles, at most two a cycle).
    private const int Sums = 14;
    private const int Repeats = 4;

    private readonly delegate* unmanaged<long, void> _loop;
    private readonly double _flopsARound;

    public Peak(KernelSet kernels, DType type)
    {
        VectorCode vector = kernels.InstructionSet == InstructionSet.Avx2 ? VectorCode.Avx2 : VectorCode.Avx512;
        bool bfloat16 = kernels.Arithmetic(type, type) == DType.BF16;
        Code multiplyAdd = bfloat16 ? Code.EVEX_Vdpbf16ps_zmm_k1z_zmm_zmmm512b32 : vector.MultiplyAdd;
        Assembler code = new(64);
        Label next = code.CreateLabel();
        code.mov(rax, OperatingSystem.IsWindows() ? rcx : rdi);
        for (int i = 0; i < Sums + 2; i++)
        {
            Emit(vector.Clear, i, i, i);
        }

        code.Label(ref next);
        for (int i = 0; i < Sums * Repeats; i++)
        {
            Emit(multiplyAdd, i % Sums, Sums, Sums + 1);
        }

        code.dec(rax);
        code.jne(next);
        code.vzeroupper();
        code.ret();
        using MemoryStream stream = new();
        code.Assemble(new StreamCodeWriter(stream), 0);
        _loop = (delegate* unmanaged<long, void>)ExecutableMemory.Place(stream.ToArray());
        _flopsARound = Sums * Repeats * vector.Lanes * (bfloat16 ? 4.0 : 2.0);

        void Emit(Code operation, int to, int left, int right) => code.AddInstruction(
            Instruction.Create(operation, vector.First + to, vector.First + left, vector.First + right));
    }

    /// <summary>Returns FLOP/s of all threads together over about so many seconds.</summary>
    public double Measure(int threads, double seconds)
    {
        Burn body = new() { Loop = _loop, Rounds = 1000 };
        double rate = Time(threads, ref body);
        body.Rounds = Math.Max(1000, (long)(rate * seconds / threads / _flopsARound));
        return Time(threads, ref body);
    }

    /// <summary>Does about so many floating-point operations, on all threads together.</summary>
    public void Run(int threads, double flops)
    {
        Burn body = new() { Loop = _loop, Rounds = (long)(flops / threads / _flopsARound) };
        using ThreadLimit limit = Workers.Limit(threads);
        Workers.Run(threads, ref body);
    }

    private double Time(int threads, ref Burn body)
    {
        using ThreadLimit limit = Workers.Limit(threads);
        double start = Clock.Seconds(threads);
        Workers.Run(threads, ref body);
        return threads * body.Rounds * _flopsARound / (Clock.Seconds(threads) - start);
    }

    private struct Burn : IParallelBody
    {
        public delegate* unmanaged<long, void> Loop;
        public long Rounds;

        public readonly void Run(int index) => Loop(Rounds);
    }
}
