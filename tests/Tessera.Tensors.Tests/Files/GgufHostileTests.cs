using Tessera.Tensors.Files;
using Tessera.Testing;
using Xunit;

namespace Tessera.Tensors.Tests.Files;

public sealed class GgufHostileTests
{
    private const ulong Huge = 1UL << 62;

    public static TheoryData<byte[], string> BrokenFiles => new()
    {
        { [], "is no GGUF file" },
        { "GGML1234"u8.ToArray(), "is no GGUF file" },
        { Head(1, 0, 0).All, "version is 1; 2 and 3 are read" },
        { Head(3 << 24, 0, 0).All, "big-endian" },
        { Head(3, Huge, 0).All, "tensor count is 4,611,686,018,427,387,904" },
        { Head(3, 0, Huge).All, "metadata count is" },
        { Head(3, 0, 1).U64(Huge).All, "key 0 is" },
        { Head(3, 0, 1).Text("k").All, "k takes 4 bytes" },
        { Head(3, 0, 1).Text("k").U32(13).U64(0).All, "k is of kind 13" },
        { Head(3, 0, 1).Text("k").U32(8).U64(Huge).All, "k is 4,611" },
        { Head(3, 0, 1).Text("k").U32(9).U32(8).U64(Huge).All, "k is 4,611" },
        { Head(3, 0, 1).Text("k").U32(9).U32(0).U64(Huge).All, "k is 4,611" },
        { Head(3, 0, 1).Text("k").U32(9).U32(9).U64(1).All, "k is a list of kind 9" },
        { Head(3, 0, 1).Text("k").U32(7).U32(2).All, "k is 2, wanted 0 or 1" },
        { Head(3, 0, 1).Text("k").U32(10).U64(ulong.MaxValue).All, "k is 18446744073709551615" },
        { Head(3, 0, 2).Text("k").U32(4).U32(0).Text("k").U32(4).U32(0).All, "k is there twice" },
        { Head(3, 0, 1).Text("general.alignment").U32(4).U32(24).All, "a power of two is wanted" },
        { Head(3, 0, 1).Text("general.alignment").U32(4).U32(0).All, "general.alignment is 0" },
        { Head(3, 0, 1).Text("general.alignment").U32(8).Text("a\n").All, "general.alignment is \"a\\u000a\"" },
        { OneTensor(rank: 5, type: 0, offset: 0, 1, 1, 1, 1, 1), "rank is 5" },
        { OneTensor(rank: 1, type: 0, offset: 0, Huge), "dimension 0 is" },
        { OneTensor(rank: 4, type: 0, offset: 0, 1 << 20, 1 << 20, 1 << 20, 1), "dimension 2 is" },
        { OneTensor(rank: 1, type: 4, offset: 0, 32), "type is 4; read are F32" },
        { OneTensor(rank: 1, type: 2, offset: 0, 33), "dimension 0 is 33, no multiple of Q4_0's 32" },
        { OneTensor(rank: 1, type: 0, offset: 4, 1), "offset is 4, no multiple of 32" },
        { OneTensor(rank: 1, type: 0, offset: 64, 1), "are not inside the file" },
        { OneTensor(rank: 1, type: 0, offset: Huge, 1), "are not inside the file" },
        { OneTensor(rank: 1, type: 0, offset: 0, 17), "are not inside the file" },
        { Two("x", 0, "y", 0), "inside the tensor before it" },
        { Two("x", 0, "x", 32), "is there twice" },
    };

    [Theory]
    [MemberData(nameof(BrokenFiles))]
    public void ABrokenFileIsAnErrorThatNamesFileAndFault(byte[] bytes, string fault)
    {
        using TemporaryFolder folder = new();
        string path = folder.Path("hostile.gguf");
        File.WriteAllBytes(path, bytes);
        long before = GC.GetAllocatedBytesForCurrentThread();
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => GgufFile.Open(path));

        // The error, the mapping and its handles take some kilobytes.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
        Assert.StartsWith(path, error.Message);
        Assert.Contains(fault, error.Message);
    }

    [Fact]
    public void TheFileThatIsTakenApartIsWhole()
    {
        using TemporaryFolder folder = new();
        using GgufFile file = Open(folder, GgufBytes.Good);
        Assert.Equal(["x", "y"], file.Names);
        Assert.Equal(new Shape(2, 3), file["x"].Shape);
        Assert.Equal(DType.Q4_0, file["y"].DType);
        Assert.Equal(["general.architecture", "llama.block_count", "tokens"], file.Metadata.Keys);
        Assert.Equal("llama", file.Metadata.Text("general.architecture"));
        Assert.Equal(2, file.Metadata.Int("llama.block_count", 0, 9));
        Assert.Equal([2], file.Metadata.OptionalInts("llama.block_count", 0, 9)!);
        Assert.Equal(["a", "bc"], file.Metadata.OptionalTexts("tokens")!);
        Assert.Null(file.Metadata.OptionalDouble("absent"));
    }

    [Fact]
    public void AValueOfAnotherKindIsAnErrorThatNamesIt()
    {
        using TemporaryFolder folder = new();
        using GgufFile file = Open(folder, GgufBytes.Good);
        GgufMetadata metadata = file.Metadata;
        (Func<object?> Read, string Fault)[] cases =
        [
            (() => metadata.Text("absent"), "absent is absent; a text is wanted"),
            (() => metadata.Text("tokens"), "tokens is a list of 2 of kind Text; a text is wanted"),
            (() => metadata.Int("llama.block_count", 3, 9), "llama.block_count is 2; a whole number from 3 to 9"),
            (() => metadata.OptionalInt("general.architecture", 0, 9), "is \"llama\"; a whole number"),
            (() => metadata.OptionalBool("llama.block_count"), "is 2; true or false"),
            (() => metadata.OptionalTexts("llama.block_count"), "is 2; a list of texts"),
            (() => metadata.OptionalSingles("tokens"), "tokens is a list of 2 of kind Text; a list of finite numbers"),
        ];
        foreach ((Func<object?> read, string fault) in cases)
        {
            InvalidDataException error = Assert.Throws<InvalidDataException>(read);
            Assert.StartsWith(file.Path, error.Message);
            Assert.Contains(fault, error.Message);
        }
    }

    [Fact]
    public void DamagedFilesAreReadOrRefused()
    {
        using TemporaryFolder folder = new();
        string path = folder.Path("damaged.gguf");
        (int read, int refused) = Fuzz.Run(
            GgufBytes.Good,
            seed: 1,
            bytesAllowed: 1 << 20,
            bytes =>
            {
                File.WriteAllBytes(path, bytes);
                using GgufFile file = GgufFile.Open(path);
                Touch(file);
            },
            error => error is InvalidDataException && error.Message.StartsWith(path, StringComparison.Ordinal));
        Assert.InRange(refused, read / 2, read);
    }

    // Reads every byte that the tensors claim: a wrong claim that got through would end the process.
    private static unsafe void Touch(GgufFile file)
    {
        int sum = 0;
        foreach (Tensor tensor in file.Names.Select(name => file[name]))
        {
            foreach (byte value in new ReadOnlySpan<byte>(tensor.Data, (int)tensor.DType.Bytes(tensor.Shape.Count)))
            {
                sum += value;
            }
        }

        Assert.True(sum >= 0);
    }

    private static GgufBytes Head(uint version, ulong tensors, ulong values) =>
        new GgufBytes().Head(version, tensors, values);

    private static byte[] OneTensor(uint rank, uint type, ulong offset, params ulong[] sizes)
    {
        GgufBytes bytes = Head(3, 1, 0).Text("t").U32(rank);
        foreach (ulong size in sizes)
        {
            bytes.U64(size);
        }

        return bytes.U32(type).U64(offset).Align().Zeros(64).All;
    }

    private static byte[] Two(string first, ulong firstOffset, string second, ulong secondOffset) => Head(3, 2, 0)
        .Text(first).U32(1).U64(2).U32(0).U64(firstOffset)
        .Text(second).U32(1).U64(2).U32(0).U64(secondOffset)
        .Align().Zeros(64).All;

    private static GgufFile Open(TemporaryFolder folder, byte[] bytes)
    {
        string path = folder.Path("file.gguf");
        File.WriteAllBytes(path, bytes);
        return GgufFile.Open(path);
    }
}
