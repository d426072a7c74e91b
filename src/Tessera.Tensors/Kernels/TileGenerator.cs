using System.Runtime.InteropServices;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Tessera.Tensors.Kernels;

/// <summary>
/// Writes the machine code of one register tile: rows × vectors accumulators that stay in registers over all steps,
/// so that each element is one chain of multiply-adds in the order of K whatever the tile's shape.
/// </summary>
internal sealed partial class TileGenerator(TileShape shape)
{
    // Row 7 has a pointer of its own: 0 to 6 times the stride are what an address can say with the multiples 1, 3 and
    // 5.
    private const int SecondPointerRow = 7;

    private readonly Assembler _code = new(64);
    private readonly VectorCode _vector = shape.Set == InstructionSet.Avx2 ? VectorCode.Avx2 : VectorCode.Avx512;

    // Until the loop ends: rax and rcx are rows 0 and 7 of A, rdx, r8 and r9 its row stride times 1, 3 and 5, r10 its
    // step; rsi is B; rdi the steps left; rbx and rbp are what to prefetch and its step, or, in tiles of several
    // panels, the panels' stride times 1 and 3. After it: rax is C and rdx its row stride. r11 is the arguments
    // throughout.
    private int FirstFree => shape.Rows * shape.Vectors;

    // Tiles of several panels have few rows: they wait for B alone, which the processor fetches ahead by itself.
    private bool Prefetches => shape.Vectors <= TileShape.PanelVectors;

    private int Free => _vector.Registers - FirstFree;

    /// <summary>Assembles the tile for Windows' calling convention or for everyone else's.</summary>
    public byte[] Assemble(bool windows)
    {
        WriteEntry(windows);
        WritePrefetchOfC();
        WriteFirstSums();
        WriteLoop();
        WriteStores();
        WriteExit(windows);
        using MemoryStream stream = new();
        _code.Assemble(new StreamCodeWriter(stream), rip: 0);
        return stream.ToArray();
    }

    private static AssemblerMemoryOperand Field(string name) => __qword_ptr[r11 + Offset(name)];

    private static int Offset(string name) => (int)Marshal.OffsetOf<TileArguments>(name);

    private Register Vector(int index) => _vector.First + index;

    private int Sum(int row, int vector) => (row * shape.Vectors) + vector;

    private void Emit(Code code, int to, int left, int right) =>
        _code.AddInstruction(Instruction.Create(code, Vector(to), Vector(left), Vector(right)));

    private void EmitLoad(Code code, int to, AssemblerMemoryOperand from) =>
        _code.AddInstruction(Instruction.Create(code, Vector(to), from.ToMemoryOperand(64)));

    private void WriteEntry(bool windows)
    {
        _code.mov(r11, windows ? rcx : rdi);
        _code.push(rbx);
        _code.push(rbp);
        _code.push(rsi);
        _code.push(rdi);
        if (windows)
        {
            WindowsVectors.Save(_code);
        }
    }

    private void WriteExit(bool windows)
    {
        if (windows)
        {
            WindowsVectors.Restore(_code);
        }

        _code.vzeroupper();
        _code.pop(rdi);
        _code.pop(rsi);
        _code.pop(rbp);
        _code.pop(rbx);
        _code.ret();
    }

    // C's lines arrive, ready to be written, while the sums are made.
    private void WritePrefetchOfC()
    {
        if (shape.Vectors > TileShape.PanelVectors)
        {
            return; // so few rows wait for B alone
        }

        _code.mov(rax, Field(nameof(TileArguments.C)));
        _code.mov(rdx, Field(nameof(TileArguments.CRowStride)));
        for (int r = 0; r < shape.Rows; r++)
        {
            _code.prefetchw(__byte_ptr[rax]);
            _code.prefetchw(__byte_ptr[rax + 64]);
            if (r + 1 < shape.Rows)
            {
                _code.add(rax, rdx);
            }
        }
    }

    private void WriteFirstSums()
    {
        Label fresh = _code.CreateLabel(), ready = _code.CreateLabel();
        _code.test(__dword_ptr[r11 + Offset(nameof(TileArguments.Options))], (int)TileOptions.Resume);
        _code.je(fresh);
        _code.mov(rsi, Field(nameof(TileArguments.Partial)));
        for (int i = 0; i < FirstFree; i++)
        {
            EmitLoad(_vector.Load, i, __[rsi + (i * _vector.Bytes)]);
        }

        _code.jmp(ready);
        _code.Label(ref fresh);
        for (int i = 0; i < FirstFree; i++)
        {
            Emit(_vector.Clear, i, i, i);
        }

        _code.Label(ref ready);
    }

    private void WriteLoop()
    {
        Label next = _code.CreateLabel(), done = _code.CreateLabel();
        WriteLoopPointers();
        _code.test(rdi, rdi);
        _code.je(done);
        _code.Label(ref next);
        if (shape.Rows <= shape.Vectors)
        {
            WriteStepOfFewRows();
        }
        else
        {
            WriteStepOfManyRows();
        }

        if (Prefetches)
        {
            _code.prefetcht0(__byte_ptr[rbx]);
            _code.add(rbx, rbp);
        }

        _code.add(rax, r10);
        if (shape.Rows > SecondPointerRow)
        {
            _code.add(rcx, r10);
        }

        _code.add(rsi, TileShape.PanelVectors * _vector.Bytes);
        _code.dec(rdi);
        _code.jne(next);
        _code.Label(ref done);
    }

    private void WriteLoopPointers()
    {
        _code.mov(rax, Field(nameof(TileArguments.A)));
        _code.mov(rdx, Field(nameof(TileArguments.ARowStride)));
        _code.lea(r8, __[rdx + (rdx * 2)]);
        _code.lea(r9, __[rdx + (rdx * 4)]);
        if (shape.Rows > SecondPointerRow)
        {
            _code.lea(rcx, __[r8 + (rdx * 4)]);
            _code.add(rcx, rax);
        }

        _code.mov(r10, Field(nameof(TileArguments.AStep)));
        _code.mov(rsi, Field(nameof(TileArguments.B)));
        if (shape.Vectors > TileShape.PanelVectors)
        {
            _code.mov(rbx, Field(nameof(TileArguments.BPanelStride)));
            _code.lea(rbp, __[rbx + (rbx * 2)]);
        }
        else
        {
            _code.mov(rbp, Field(nameof(TileArguments.NextStep)));
            _code.mov(rbx, Field(nameof(TileArguments.Next)));
            _code.test(rbx, rbx);
            _code.cmove(rbx, rax); // what is there already costs nothing to fetch; an unmapped address would
        }

        _code.mov(rdi, Field(nameof(TileArguments.Steps)));
    }

    // The vectors of B stay in registers for the step while the rows of A pass by.
    private void WriteStepOfManyRows()
    {
        for (int v = 0; v < shape.Vectors; v++)
        {
            EmitLoad(_vector.Load, FirstFree + v, VectorOfB(v));
        }

        int firstOfA = FirstFree + shape.Vectors;
        for (int r = 0; r < shape.Rows; r++)
        {
            int a = firstOfA + (r % (Free - shape.Vectors));
            EmitLoad(_vector.Broadcast, a, ElementOfA(r));
            for (int v = 0; v < shape.Vectors; v++)
            {
                Emit(MultiplyAdd, Sum(r, v), a, FirstFree + v);
            }
        }
    }

    // The rows of A stay in registers for the step while the vectors of B pass by.
    private void WriteStepOfFewRows()
    {
        for (int r = 0; r < shape.Rows; r++)
        {
            EmitLoad(_vector.Broadcast, FirstFree + r, ElementOfA(r));
        }

        int firstOfB = FirstFree + shape.Rows;
        for (int v = 0; v < shape.Vectors; v++)
        {
            int b = firstOfB + (v % (Free - shape.Rows));
            EmitLoad(_vector.Load, b, VectorOfB(v));
            for (int r = 0; r < shape.Rows; r++)
            {
                Emit(MultiplyAdd, Sum(r, v), FirstFree + r, b);
            }
        }
    }

    private Code MultiplyAdd => shape.BFloat16 ? Code.EVEX_Vdpbf16ps_zmm_k1z_zmm_zmmm512b32 : _vector.MultiplyAdd;

    private AssemblerMemoryOperand VectorOfB(int v)
    {
        int offset = v % TileShape.PanelVectors * _vector.Bytes;
        return (v / TileShape.PanelVectors) switch
        {
            0 => __[rsi + offset],
            1 => __[rsi + rbx + offset],
            2 => __[rsi + (rbx * 2) + offset],
            _ => __[rsi + rbp + offset],
        };
    }

    private static AssemblerMemoryOperand ElementOfA(int row)
    {
        AssemblerRegister64 first = row < SecondPointerRow ? rax : rcx;
        return (row % SecondPointerRow) switch
        {
            0 => __dword_ptr[first],
            1 => __dword_ptr[first + rdx],
            2 => __dword_ptr[first + (rdx * 2)],
            3 => __dword_ptr[first + r8],
            4 => __dword_ptr[first + (rdx * 4)],
            5 => __dword_ptr[first + r9],
            _ => __dword_ptr[first + (r8 * 2)],
        };
    }
}
