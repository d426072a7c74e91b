using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Iced.Intel;
using Tessera.Tensors.Memory;
using Tessera.Tensors.Threading;
using static Iced.Intel.AssemblerRegisters;

namespace Tessera.Tensors.Kernels;

/// <summary>
/// Measures what this machine reaches at most, here and now: speeds are shown as shares of it, in the same run.
/// </summary>
public static unsafe class MachineRoof
{
    // Enough independent sums that none waits for itself (latency 4 to 6 cycles, at most two a cycle).
    private const int Sums = 14;
    private const int Repeats = 4;

    // Several times the last cache of the processors that this is for, so that it is memory that is read.
    private const long BytesRead = 256L << 20;

    // Each item of the reading is one stretch, so that threads that are free take more of them.
    private const long Stretch = 1L << 20;

    private static readonly Lock _generating = new();
    private static readonly Dictionary<int, nint> _loops = [];

    /// <summary>
    /// Returns the most floating-point operations a second that the threads do together: multiply-adds on registers
    /// alone, or, in portable code, the best product of two matrices.
    /// </summary>
    /// <param name="type">What is multiplied: F32 or BF16.</param>
    /// <param name="time">The clock.</param>
    /// <param name="threads">How many threads; null: all.</param>
    /// <param name="kernels">The instruction set; null: the default.</param>
    /// <param name="seconds">About how long one measurement takes.</param>
    /// <param name="measurements">How many there are; the best counts.</param>
    public static double Flops(
        DType type,
        TimeProvider time,
        int? threads = null,
        KernelSet? kernels = null,
        double seconds = 0.02,
        int measurements = 4)
    {
        kernels ??= KernelSet.Default;
        int count = threads ?? Workers.Count;
        using ThreadLimit limit = Workers.Limit(count);
        if (kernels.InstructionSet == InstructionSet.Portable)
        {
            return OfProducts(type, time, kernels);
        }

        DType multiplied = kernels.Arithmetic(type, type);
        (nint loop, double flops) = Loop(kernels.InstructionSet, multiplied == DType.BF16);
        Burn body = new() { Loop = (delegate* unmanaged<long, void>)loop, Rounds = 1000 };
        double best = 0, first = Time();
        body.Rounds = Math.Max(1000, (long)(first * seconds / count / flops));
        for (int i = 0; i < measurements; i++)
        {
            best = Math.Max(best, Time());
        }

        return best;

        double Time()
        {
            long start = time.GetTimestamp();
            Workers.Run(count, ref body);
            return count * body.Rounds * flops / Math.Max(time.GetElapsedTime(start).TotalSeconds, 1e-9);
        }
    }

    /// <summary>Returns the most bytes of memory a second that the threads read together.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="threads">How many threads; null: all.</param>
    /// <param name="passes">How often 256 MB are read; the best pass counts.</param>
    public static double ReadBytes(TimeProvider time, int? threads = null, int passes = 5)
    {
        using NativeBlock block = new(BytesRead);
        new Span<byte>(block.Pointer, (int)BytesRead).Fill(1);
        using ThreadLimit limit = Workers.Limit(threads ?? Workers.Count);
        int count = (int)(BytesRead / Stretch);
        float* sums = stackalloc float[count];
        Read body = new() { From = (byte*)block.Pointer, Sums = sums };
        double best = 0;
        for (int pass = 0; pass < passes; pass++)
        {
            long start = time.GetTimestamp();
            Workers.Run(count, ref body);
            best = Math.Max(best, BytesRead / Math.Max(time.GetElapsedTime(start).TotalSeconds, 1e-9));
        }

        return best;
    }

    /// <summary>Does about so many floating-point operations, as <see cref="Flops"/> times them.</summary>
    /// <exception cref="PlatformNotSupportedException">The kernels are portable code.</exception>
    internal static void Work(DType type, int threads, double flops)
    {
        KernelSet kernels = KernelSet.Default;
        if (kernels.InstructionSet == InstructionSet.Portable)
        {
            throw new PlatformNotSupportedException("roof: the peak is measured with generated code");
        }

        (nint loop, double flopsARound) = Loop(kernels.InstructionSet, kernels.Arithmetic(type, type) == DType.BF16);
        Burn body = new()
        {
            Loop = (delegate* unmanaged<long, void>)loop,
            Rounds = (long)(flops / threads / flopsARound),
        };
        using ThreadLimit limit = Workers.Limit(threads);
        Workers.Run(threads, ref body);
    }

    private static double OfProducts(DType type, TimeProvider time, KernelSet kernels)
    {
        // Large enough for the product to run at its peak, small enough to take a fraction of a second on one core.
        const int Size = 512;
        using TensorScope scope = TensorScope.Begin();
        Tensor a = Tensor.Zeros(new Shape(Size, Size), type), c = Tensor.Create(a.Shape, DType.F32);
        MatrixView view = new(a.Data, type, Size, Size, Size), to = new(c.Data, DType.F32, Size, Size, Size);
        using PackedMatrix packed = new(kernels);
        Matmul.Pack(view, packed);
        double best = 0;
        for (int i = 0; i < Repeats; i++)
        {
            long start = time.GetTimestamp();
            Matmul.Multiply(view, packed, to, new MatmulOptions { Kernels = kernels });
            best = Math.Max(best, 2.0 * Size * Size * Size / Math.Max(time.GetElapsedTime(start).TotalSeconds, 1e-9));
        }

        return best;
    }

    private static (nint Loop, double FlopsARound) Loop(InstructionSet set, bool bfloat16)
    {
        VectorCode vector = set == InstructionSet.Avx2 ? VectorCode.Avx2 : VectorCode.Avx512;
        lock (_generating)
        {
            int key = ((int)set * 2) + (bfloat16 ? 1 : 0);
            if (!_loops.TryGetValue(key, out nint loop))
            {
                loop = ExecutableMemory.Place(Assemble(vector, bfloat16, OperatingSystem.IsWindows()));
                _loops.Add(key, loop);
            }

            return (loop, Sums * Repeats * vector.Lanes * (bfloat16 ? 4.0 : 2.0));
        }
    }

    /// <summary>Assembles the loop for Windows' calling convention or for everyone else's.</summary>
    internal static byte[] Assemble(VectorCode vector, bool bfloat16, bool windows)
    {
        Code multiplyAdd = bfloat16 ? Code.EVEX_Vdpbf16ps_zmm_k1z_zmm_zmmm512b32 : vector.MultiplyAdd;
        Assembler code = new(64);
        Label next = code.CreateLabel();
        code.mov(rax, windows ? rcx : rdi);
        if (windows)
        {
            WindowsVectors.Save(code);
        }

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
        if (windows)
        {
            WindowsVectors.Restore(code);
        }

        code.vzeroupper();
        code.ret();
        using MemoryStream stream = new();
        code.Assemble(new StreamCodeWriter(stream), 0);
        return stream.ToArray();

        void Emit(Code operation, int to, int left, int right) => code.AddInstruction(
            Instruction.Create(operation, vector.First + to, vector.First + left, vector.First + right));
    }

    private struct Burn : IParallelBody
    {
        public delegate* unmanaged<long, void> Loop;
        public long Rounds;

        public readonly void Run(int index) => Loop(Rounds);
    }

    private struct Read : IParallelBody
    {
        public byte* From;
        public float* Sums;

        [MethodImpl(MethodImplOptions.NoInlining)]
        public readonly void Run(int index)
        {
            float* p = (float*)(From + (index * Stretch)), end = p + (Stretch / sizeof(float));
            Vector512<float> a = default, b = default, c = default, d = default;
            for (; p < end; p += 64)
            {
                a += Vector512.Load(p);
                b += Vector512.Load(p + 16);
                c += Vector512.Load(p + 32);
                d += Vector512.Load(p + 48);
            }

            Sums[index] = Vector512.Sum(a + b + c + d); // so that nothing is left out as useless
        }
    }
}
