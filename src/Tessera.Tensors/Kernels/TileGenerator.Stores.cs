using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Tessera.Tensors.Kernels;

/// <summary>
/// The end of a tile: bias, what C already holds, rounding, and stores that touch no column beyond the last.
/// </summary>
internal sealed partial class TileGenerator
{
    // k1 and k2 cover the columns of each vector, k3 those of both; a tile of more vectors has all its columns.
    private bool HasMasks => _vector == VectorCode.Avx512 && shape.Vectors <= TileShape.PanelVectors;

    private void WriteStores()
    {
        Label keep = _code.CreateLabel(), end = _code.CreateLabel();
        _code.test(__dword_ptr[r11 + Offset(nameof(TileArguments.Options))], (int)TileOptions.Suspend);
        _code.jne(keep);
        if (HasMasks)
        {
            WriteMasks();
        }

        WriteBias();
        WriteStoresToC(end);
        _code.Label(ref keep);
        _code.mov(rax, Field(nameof(TileArguments.Partial)));
        for (int i = 0; i < FirstFree; i++)
        {
            EmitStore(i, __[rax + (i * _vector.Bytes)], Register.None);
        }

        _code.Label(ref end);
    }

    private void WriteMasks()
    {
        _code.mov(ecx, __dword_ptr[r11 + Offset(nameof(TileArguments.Columns))]);
        _code.mov(eax, 1);
        _code.shl(rax, cl);
        _code.dec(rax);
        _code.kmovd(k3, eax);
        _code.kmovd(k1, eax);
        _code.shr(eax, 16);
        _code.kmovd(k2, eax);
    }

    private void WriteBias()
    {
        Label none = _code.CreateLabel();
        _code.mov(rax, Field(nameof(TileArguments.Bias)));
        _code.test(rax, rax);
        _code.je(none);
        for (int v = 0; v < shape.Vectors; v++)
        {
            EmitMaskedLoad(_vector.Load, FirstFree, __[rax + (v * _vector.Bytes)], MaskOf(v));
            for (int r = 0; r < shape.Rows; r++)
            {
                Emit(_vector.Add, Sum(r, v), Sum(r, v), FirstFree);
            }
        }

        _code.Label(ref none);
    }

    private void WriteStoresToC(Label end)
    {
        _code.mov(rax, Field(nameof(TileArguments.C)));
        _code.mov(rdx, Field(nameof(TileArguments.CRowStride)));
        _code.mov(ecx, __dword_ptr[r11 + Offset(nameof(TileArguments.Options))]);
        Label addSingle = _code.CreateLabel(), half = _code.CreateLabel(), addHalf = _code.CreateLabel();
        bool rounds = shape.Set == InstructionSet.Avx512BFloat16;
        if (rounds)
        {
            _code.test(ecx, (int)TileOptions.StoreBFloat16);
            _code.jne(half);
        }

        _code.test(ecx, (int)TileOptions.Accumulate);
        _code.jne(addSingle);
        WriteRows(_ => { }, StoreSingles);
        _code.jmp(end);
        _code.Label(ref addSingle);
        WriteRows(AddSingles, StoreSingles);
        _code.jmp(end);
        if (rounds)
        {
            _code.Label(ref half);
            _code.test(ecx, (int)TileOptions.Accumulate);
            _code.jne(addHalf);
            WriteRows(_ => { }, StoreBFloat16s);
            _code.jmp(end);
            _code.Label(ref addHalf);
            WriteRows(AddBFloat16s, StoreBFloat16s);
            _code.jmp(end);
        }
    }

    private void WriteRows(Action<int> add, Action<int> store)
    {
        for (int r = 0; r < shape.Rows; r++)
        {
            add(r);
            store(r);
            if (r + 1 < shape.Rows)
            {
                _code.add(rax, rdx);
            }
        }
    }

    private void StoreSingles(int row)
    {
        for (int v = 0; v < shape.Vectors; v++)
        {
            EmitStore(Sum(row, v), __[rax + (v * _vector.Bytes)], MaskOf(v));
        }
    }

    private void AddSingles(int row)
    {
        for (int v = 0; v < shape.Vectors; v++)
        {
            EmitMaskedLoad(_vector.Load, FirstFree, __[rax + (v * _vector.Bytes)], MaskOf(v));
            Emit(_vector.Add, Sum(row, v), FirstFree, Sum(row, v));
        }
    }

    private void AddBFloat16s(int row)
    {
        for (int v = 0; v < shape.Vectors; v++)
        {
            AssemblerMemoryOperand held = __[rax + (v * _vector.Bytes / 2)];
            EmitMaskedLoad(Code.EVEX_Vpmovzxwd_zmm_k1z_ymmm256, FirstFree, held, MaskOf(v));
            _code.AddInstruction(Instruction.Create(
                Code.EVEX_Vpslld_zmm_k1z_zmmm512b32_imm8, Vector(FirstFree), Vector(FirstFree), 16));
            Emit(_vector.Add, Sum(row, v), FirstFree, Sum(row, v));
        }
    }

    private void StoreBFloat16s(int row)
    {
        if (shape.Vectors == 1)
        {
            Register half = Register.YMM0 + FirstFree;
            _code.AddInstruction(
                Instruction.Create(Code.EVEX_Vcvtneps2bf16_ymm_k1z_zmmm512b32, half, Vector(Sum(row, 0))));
            EmitStore(Code.EVEX_Vmovdqu16_ymmm256_k1z_ymm, half, __[rax], MaskOf(0));
            return;
        }

        for (int v = 0; v < shape.Vectors; v += 2)
        {
            Emit(Code.EVEX_Vcvtne2ps2bf16_zmm_k1z_zmm_zmmm512b32, FirstFree, Sum(row, v + 1), Sum(row, v));
            EmitStore(
                Code.EVEX_Vmovdqu16_zmmm512_k1z_zmm,
                Vector(FirstFree),
                __[rax + (v * _vector.Bytes / 2)],
                HasMasks ? Register.K3 : Register.None);
        }
    }

    private Register MaskOf(int vector) => HasMasks ? Register.K1 + vector : Register.None;

    private void EmitStore(int from, AssemblerMemoryOperand to, Register mask) =>
        EmitStore(_vector.Store, Vector(from), to, mask);

    private void EmitStore(Code code, Register from, AssemblerMemoryOperand to, Register mask)
    {
        Instruction store = Instruction.Create(code, to.ToMemoryOperand(64), from);
        store.OpMask = mask;
        _code.AddInstruction(store);
    }

    // Lanes without a column read nothing and become zero.
    private void EmitMaskedLoad(Code code, int to, AssemblerMemoryOperand from, Register mask)
    {
        Instruction load = Instruction.Create(code, Vector(to), from.ToMemoryOperand(64));
        load.OpMask = mask;
        load.ZeroingMasking = mask != Register.None;
        _code.AddInstruction(load);
    }
}
