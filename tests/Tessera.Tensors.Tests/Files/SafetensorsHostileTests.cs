using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using Tessera.Tensors.Files;
using Tessera.Testing;
using Xunit;

namespace Tessera.Tensors.Tests.Files;

public sealed class SafetensorsHostileTests
{
    // One tensor of two floats, whose header the cases take apart.
    private const string Good = """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""";

    public static TheoryData<string, int, string> BrokenHeaders => new()
    {
        { "", 0, "not valid JSON" },
        { "[]", 0, "header is an array" },
        { "7", 0, "header is a number" },
        { "{", 0, "not valid JSON" },
        { "{}x", 0, "not valid JSON" },
        { "{} {}", 0, "not valid JSON" },
        { Good, 7, "not inside the 7 bytes" },
        { Good, 9, "its tensors take 8 bytes, the file has 9" },
        { "{}", 1, "its tensors take 0 bytes, the file has 1" },
        { """{"a":3}""", 0, "tensor \"a\" is a number" },
        { """{"a":null}""", 0, "tensor \"a\" is null" },
        { """{"a":{"shape":[2],"data_offsets":[0,8]}}""", 8, "gives no dtype" },
        { """{"a":{"dtype":"F32","data_offsets":[0,8]}}""", 8, "gives no shape" },
        { """{"a":{"dtype":"F32","shape":[2]}}""", 8, "gives no data_offsets" },
        { Good.Replace("\"F32\"", "32"), 8, "dtype is a number" },
        { Good.Replace("F32", "F33"), 8, "dtype is \"F33\"" },
        { Good.Replace("F32", "f32"), 8, "dtype is \"f32\"" },
        { Good.Replace("F32", "F64"), 8, "are 8 bytes; F64 (2) is 16" },
        { Good.Replace("F32", "BOOL"), 8, "dtype is \"BOOL\"" },
        { Good.Replace("[2]", "2"), 8, "shape is a number" },
        { Good.Replace("[2]", "[-2]"), 8, "shape[0] is no whole number" },
        { Good.Replace("[2]", "[2.0]"), 8, "shape[0] is no whole number" },
        { Good.Replace("[2]", "[2e0]"), 8, "shape[0] is no whole number" },
        { Good.Replace("[2]", "[\"2\"]"), 8, "shape[0] is a string" },
        { Good.Replace("[2]", "[3]"), 8, "are 8 bytes; F32 (3) is 12" },
        { Good.Replace("[2]", "[2,0]"), 8, "are 8 bytes; F32 (2,0) is 0" },
        { Good.Replace("[2]", "[2,1,1,1,1]"), 8, "more than 4 dimensions" },
        { Good.Replace("[2]", "[2147483648]"), 8, "shape[0] is 2147483648, which is too large" },
        { Good.Replace("[2]", "[9223372036854775808]"), 8, "shape[0] is no whole number" },
        // The product is 2^64, which is 0 in 64 bits.
        { Good.Replace("[2]", "[65536,65536,65536,65536]"), 8, "shape[2] is 65536, which is too large" },
        { Good.Replace("[0,8]", "[0]"), 8, "data_offsets[1] is absent" },
        { Good.Replace("[0,8]", "[0,8,8]"), 8, "more than two numbers" },
        { Good.Replace("[0,8]", "[8,0]"), 8, "[8,0] are not inside" },
        { Good.Replace("[0,8]", "[0,9223372036854775807]"), 8, "not inside the 8 bytes" },
        { Good.Replace("[0,8]", "[-8,0]"), 8, "data_offsets[0] is no whole number" },
        { Good.Replace("[0,8]", "[1,9]"), 9, "leaves a gap" },
        { Good.Replace("[0,8]", "\"0,8\""), 8, "data_offsets is a string" },
        { Good.Replace("}}", ",\"dtype\":\"F32\"}}"), 8, "gives a field twice" },
        { Good.Replace("}}", ",\"stride\":1}}"), 8, "has a field \"stride\"" },
        { $"{{{Good[1..^1]},{Good[1..^1]}}}", 8, "tensor \"a\" is named twice" },
        { $"{{{Good[1..^1]},{Good[1..^1].Replace("\"a\"", "\"b\"")}}}", 8, "overlaps the tensor before it" },
        { $"{{{Good[1..^1]},{Good[1..^1].Replace("\"a\"", "\"b\"").Replace("[0,8]", "[4,12]")}}}", 12, "overlaps" },
        { $"{{\"__metadata__\":[],{Good[1..]}", 8, "__metadata__ is an array" },
        { $"{{\"__metadata__\":{{\"n\":1}},{Good[1..]}", 8, "__metadata__: \"n\" is a number" },
        { $"{{\"__metadata__\":{{\"n\":\"1\",\"n\":\"2\"}},{Good[1..]}", 8, "__metadata__: \"n\" is named twice" },
        { $"{{\"__metadata__\":{{}},\"__metadata__\":{{}},{Good[1..]}", 8, "\"__metadata__\" is named twice" },
        { Good.Replace("\"a\"", "\"\\ud800\""), 8, "not valid JSON" },
        { Good.Replace("\"a\"", "\"a\\u0000\\n\""), 7, "tensor \"a\\u0000\\u000a\"" },
        { Good.Replace("\"a\"", $"\"{new string('x', 1000)}\""), 7, "xxx…\"" },
        { "{\"a\":" + new string('[', 100_000), 0, "tensor \"a\" is an array" },
    };

    [Theory]
    [MemberData(nameof(BrokenHeaders))]
    public void ABrokenHeaderIsAnErrorThatNamesFileAndFault(string header, int dataBytes, string fault)
    {
        using TemporaryFolder folder = new();
        string path = Write(folder, Encoding.UTF8.GetBytes(header), dataBytes);
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => SafetensorsFile.Open(path));
        Assert.StartsWith(path, error.Message);
        Assert.Contains(fault, error.Message);
    }

    [Fact]
    public void TheCasesAreBrokenAndTheirPatternIsNot()
    {
        using TemporaryFolder folder = new();
        using SafetensorsFile file = SafetensorsFile.Open(Write(folder, Encoding.UTF8.GetBytes(Good), 8));
        Assert.Equal(["a"], file.Names);
    }

    [Fact]
    public void TextThatIsNotUtf8IsAnError()
    {
        using TemporaryFolder folder = new();
        byte[] header = Encoding.Latin1.GetBytes(Good.Replace("\"a\"", "\"\u00ff\""));
        string path = Write(folder, header, 8);
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => SafetensorsFile.Open(path));
        Assert.Contains("not valid JSON", error.Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public void AFileWithoutALengthIsAnError(int bytes)
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder.Path("a"), new byte[bytes]);
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => SafetensorsFile.Open(folder.Path("a")));
        Assert.Contains($"{bytes} bytes are no safetensors file", error.Message);
    }

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(ulong.MaxValue - 7)]
    [InlineData(1ul << 63)]
    [InlineData(100_000_001ul)]
    [InlineData(55ul)]
    public void ALyingLengthIsAnErrorAndAllocatesNothing(ulong length)
    {
        using TemporaryFolder folder = new();
        string path = Write(folder, Encoding.UTF8.GetBytes(Good), 0, length);
        long before = GC.GetAllocatedBytesForCurrentThread();
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => SafetensorsFile.Open(path));

        // The error, the mapping and its handles take some kilobytes.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
        Assert.Contains($"header length {length}", error.Message);
    }

    [Fact]
    public void MissingFilesAndFoldersAreErrorsOfTheirOwn()
    {
        using TemporaryFolder folder = new();
        Assert.Throws<FileNotFoundException>(() => SafetensorsFile.Open(folder.Path("absent")));
        Assert.Throws<UnauthorizedAccessException>(() => SafetensorsFile.Open(folder.Path(".")));
    }

    [Fact]
    public void AHundredThousandTensorsOpenWithinASecond()
    {
        using TemporaryFolder folder = new();
        IEnumerable<string> tensors = Enumerable.Range(0, 100_000)
            .Select(i => $"\"t{i}\":{{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[{i},{i + 1}]}}");
        string path = Write(folder, Encoding.UTF8.GetBytes($"{{{string.Join(',', tensors)}}}"), 100_000);
        long start = Stopwatch.GetTimestamp();
        using SafetensorsFile file = SafetensorsFile.Open(path);
        TimeSpan taken = Stopwatch.GetElapsedTime(start);
        Assert.Equal(100_000, file.Names.Count);

        // A second is the promise; the rest is for a machine that is not free.
        Assert.True(taken < TimeSpan.FromSeconds(5), $"took {taken.TotalSeconds:F2} s");
    }

    [Fact]
    public void DamagedFilesAreReadOrRefused()
    {
        using TemporaryFolder folder = new();
        string path = folder.Path("damaged.safetensors");
        byte[] original = Small();
        (int read, int refused) = Fuzz.Run(
            original,
            seed: 1,
            bytesAllowed: 1 << 20,
            bytes =>
            {
                File.WriteAllBytes(path, bytes);
                using SafetensorsFile file = SafetensorsFile.Open(path);
                Touch(file);
            },
            error => error is InvalidDataException && error.Message.StartsWith(path, StringComparison.Ordinal));
        Assert.InRange(refused, read / 2, read);
    }

    /// <summary>
    /// Reads every byte that the tensors claim: a wrong claim that got through would end the process.
    /// </summary>
    private static unsafe void Touch(SafetensorsFile file)
    {
        int sum = 0;
        foreach (Tensor tensor in file.Names.Select(name => file[name]))
        {
            foreach (byte value in new ReadOnlySpan<byte>(tensor.Data, (int)tensor.Shape.Count * tensor.DType.Size()))
            {
                sum += value;
            }
        }

        Assert.True(sum >= 0);
    }

    private static byte[] Small()
    {
        using TensorScope scope = TensorScope.Begin();
        using MemoryStream stream = new();
        StoredTensor[] tensors =
        [
            new("model.embed.weight", Tensor.Zeros(new Shape(3, 5), DType.F32)),
            new("model.norm.weight", Tensor.Zeros(new Shape(5), DType.BF16)),
            new("scalar", Tensor.Zeros(default, DType.I64)),
            new("empty", Tensor.Zeros(new Shape(4, 0), DType.U8)),
        ];
        SafetensorsWriter.Write(stream, tensors, new Dictionary<string, string> { ["format"] = "pt" });
        return stream.ToArray();
    }

    private static string Write(TemporaryFolder folder, byte[] header, int dataBytes, ulong? length = null)
    {
        string path = folder.Path("hostile.safetensors");
        byte[] bytes = new byte[8 + header.Length + dataBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length ?? (ulong)header.Length);
        header.CopyTo(bytes, 8);
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
