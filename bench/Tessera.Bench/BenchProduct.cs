using Tessera.Tensors;
using Tessera.Tensors.Kernels;
using Tessera.Tensors.Memory;

namespace Tessera.Bench;

/// <summary>Which operand lies transposed in memory, or that B was packed before.</summary>
internal enum ProductForm
{
    AB,
    ABt,
    AtB,
    Packed,
}

/// <summary>A matrix product C = A·B of random numbers, C M × N, A M × K, B K × N, all of one type.</summary>
internal sealed unsafe class BenchProduct : IDisposable
{
    private readonly NativeBlock _aMemory;
    private readonly NativeBlock _bMemory;
    private readonly NativeBlock _cMemory;
    private readonly MatrixView _a;
    private readonly MatrixView _b;
    private readonly MatrixView _c;
    private readonly PackedMatrix? _packed;
    private readonly MatmulOptions _options;

    public BenchProduct(KernelSet kernels, DType type, ProductForm form, int M, int K, int N)
    {
        (_aMemory, _bMemory, _cMemory) = (Random(type, M, K, 1), Random(type, K, N, 2), new((long)M * N * 4));
        _a = form == ProductForm.AtB
            ? new(_aMemory.Pointer, type, M, K, M, transposed: true)
            : new(_aMemory.Pointer, type, M, K, K);
        _b = form == ProductForm.ABt
            ? new(_bMemory.Pointer, type, K, N, K, transposed: true)
            : new(_bMemory.Pointer, type, K, N, N);
        _c = new(_cMemory.Pointer, type, M, N, N);
        _options = new() { Kernels = kernels };
        if (form == ProductForm.Packed)
        {
            _packed = new PackedMatrix(kernels);
            Matmul.Pack(_b, _packed);
        }
    }

    public void Run()
    {
        if (_packed is not null)
        {
            Matmul.Multiply(_a, _packed, _c, _options);
        }
        else
        {
            Matmul.Multiply(_a, _b, _c, _options);
        }
    }

    public void Dispose()
    {
        _packed?.Dispose();
        _aMemory.Dispose();
        _bMemory.Dispose();
        _cMemory.Dispose();
    }

    private static NativeBlock Random(DType type, int rows, int columns, int seed)
    {
        NativeBlock block = new((long)rows * columns * 4);
        Random random = new(seed);
        for (long i = 0; i < (long)rows * columns; i++)
        {
            float value = random.NextSingle() - 0.5f;
            if (type == DType.F32)
            {
                ((float*)block.Pointer)[i] = value;
            }
            else
            {
                ((BFloat16*)block.Pointer)[i] = (BFloat16)value;
            }
        }

        return block;
    }
}
