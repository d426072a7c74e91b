using System.Runtime.InteropServices;
using Tessera.Tensors.Kernels;
using Xunit;

namespace Tessera.Tensors.Tests.Kernels;

/// <summary>Calls the register tiles as attention does: single tiles over panels that it packed itself.</summary>
public sealed unsafe class TileTests
{
    public static TheoryData<InstructionSet> Sets { get; } = [.. Processor.Supported];

    [Theory]
    [MemberData(nameof(Sets))]
    public void EveryRowAndColumnCountStoresItsElementsAndNoOther(InstructionSet set)
    {
        KernelSet kernels = KernelSet.For(set);
        foreach (DType type in kernels.MultipliesBFloat16 ? [DType.F32, DType.BF16] : new[] { DType.F32 })
        {
            for (int rows = 1; rows <= kernels.TileRows; rows++)
            {
                for (int columns = 1; columns <= kernels.TileColumns; columns++)
                {
                    Check(kernels, type, rows, columns, DType.F32);
                    Check(kernels, type, rows, columns, DType.BF16);
                }
            }
        }
    }

    private static void Check(KernelSet kernels, DType type, int rows, int columns, DType result)
    {
        const int K = 10;
        string what = $"{kernels.InstructionSet} {type} {rows} × {columns}";
        Random random = new((rows * 64) + columns);
        using TestMatrix a = new(random, type, rows, K);
        using TestMatrix b = new(random, type, K, columns, transposed: columns % 2 == 0);
        using TestMatrix c = new(random, result, rows, columns, gap: 1), expected = new(random, result, rows, columns);
        void* panel = NativeMemory.AlignedAlloc((nuint)Panels.Bytes(kernels, type, K, columns), 64);
        try
        {
            Panels.Pack(kernels, type, b.View, panel);
            TileArguments arguments = new()
            {
                A = a.Data,
                ARowStride = K * a.View.ElementBytes,
                AStep = 4,
                B = panel,
                Steps = Panels.Steps(type, K),
                C = c.Data,
                CRowStride = c.View.Stride * c.View.ElementBytes,
                Columns = columns,
                Options = result == DType.BF16 ? TileOptions.StoreBFloat16 : TileOptions.None,
            };
            kernels.Tile(type, rows, &arguments);
            Matmul.Multiply(a.View, b.View, expected.View, new() { Kernels = kernels });
            for (int r = 0; r < rows; r++)
            {
                Assert.True(c.Row(r).SequenceEqual(expected.Row(r)), $"{what}, row {r}");
            }

            Assert.True(c.GapsAreUntouched(), $"{what}: wrote beside C");
        }
        finally
        {
            NativeMemory.AlignedFree(panel);
        }
    }

    [Theory]
    [MemberData(nameof(Sets))]
    public void StepsInTwoCallsEqualStepsInOne(InstructionSet set)
    {
        KernelSet kernels = KernelSet.For(set);
        const int K = 24, First = 11;
        int rows = kernels.TileRows, columns = kernels.TileColumns;
        Random random = new(9);
        using TestMatrix a = new(random, DType.F32, rows, K), b = new(random, DType.F32, K, columns);
        using TestMatrix one = new(random, DType.F32, rows, columns), two = new(random, DType.F32, rows, columns);
        byte* panel = (byte*)NativeMemory.AlignedAlloc((nuint)Panels.Bytes(kernels, DType.F32, K, columns), 64);
        float* partial = (float*)NativeMemory.AlignedAlloc((nuint)(rows * columns * sizeof(float)), 64);
        Panels.Pack(kernels, DType.F32, b.View, panel);
        TileArguments arguments = new()
        {
            A = a.Data,
            ARowStride = K * sizeof(float),
            AStep = sizeof(float),
            B = panel,
            Steps = K,
            C = one.Data,
            CRowStride = columns * sizeof(float),
            Partial = partial,
            Columns = columns,
        };
        kernels.Tile(DType.F32, rows, &arguments);
        arguments.C = two.Data;
        (arguments.Steps, arguments.Options) = (First, TileOptions.Suspend);
        kernels.Tile(DType.F32, rows, &arguments);
        arguments.A = a.Data + (First * sizeof(float));
        arguments.B = panel + (First * columns * sizeof(float));
        (arguments.Steps, arguments.Options) = (K - First, TileOptions.Resume);
        kernels.Tile(DType.F32, rows, &arguments);
        int bytes = rows * columns * sizeof(float);
        Assert.True(new ReadOnlySpan<byte>(one.Data, bytes).SequenceEqual(new ReadOnlySpan<byte>(two.Data, bytes)));
        NativeMemory.AlignedFree(panel);
        NativeMemory.AlignedFree(partial);
    }
}
