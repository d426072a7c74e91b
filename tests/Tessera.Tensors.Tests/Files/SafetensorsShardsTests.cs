using System.Text;
using Tessera.Tensors.Files;
using Tessera.Testing;
using Xunit;

namespace Tessera.Tensors.Tests.Files;

public sealed class SafetensorsShardsTests : IDisposable
{
    private readonly TensorScope _scope = TensorScope.Begin();
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, string> BrokenIndexes => new()
    {
        { "", "not valid JSON" },
        { "[]", "weight_map is absent or no object" },
        { "{}", "weight_map is absent or no object" },
        { """{"weight_map":[]}""", "weight_map is absent or no object" },
        { """{"weight_map":{"a":1}}""", "weight_map \"a\" is \"Number\"" },
        { """{"weight_map":{"a":"../one.safetensors"}}""", "weight_map \"a\" is \"../one.safetensors\"" },
        { """{"weight_map":{"a":"/etc/one.safetensors"}}""", "weight_map \"a\" is \"/etc/one.safetensors\"" },
        { """{"weight_map":{"a":"..\\one.safetensors"}}""", "weight_map \"a\"" },
        { """{"weight_map":{"a":""}}""", "weight_map \"a\" is \"\"" },
        { """{"weight_map":{"a":"one.bin"}}""", "weight_map \"a\" is \"one.bin\"" },
        { """{"weight_map":{"a":"one.safetensors","a":"one.safetensors"}}""", "not valid JSON" },
        { """{"weight_map":{"a":"\ud800.safetensors"}}""", "not valid JSON" },
        {
            """{"weight_map":{"a":"one.safetensors","z":"one.safetensors"}}""",
            "weight_map puts \"z\" into one.safetensors, which hasn't got it"
        },
        { """{"weight_map":{"a":"two.safetensors","c":"two.safetensors"}}""", "has tensor \"b\"" },
        { """{"weight_map":{"x":{"y":{"z":{"y":{"z":{"y":{"z":{"y":{}}}}}}}}}}""", "not valid JSON" },
    };

    public void Dispose()
    {
        _folder.Dispose();
        _scope.Dispose();
    }

    [Theory]
    [MemberData(nameof(BrokenIndexes))]
    public void ABrokenIndexIsAnError(string index, string fault)
    {
        WriteShard("one.safetensors", "a");
        WriteShard("two.safetensors", "b", "c");
        File.WriteAllText(_folder.Path(SafetensorsShards.IndexName), index);
        InvalidDataException error = Assert.Throws<InvalidDataException>(Open);
        Assert.StartsWith(_folder.Path(""), error.Message);
        Assert.Contains(fault, error.Message);
    }

    [Fact]
    public void AFileThatTheIndexDoesNotNameIsNotRead()
    {
        WriteShard("one.safetensors", "a");
        WriteShard("two.safetensors", "b", "c");
        File.WriteAllText(_folder.Path(SafetensorsShards.IndexName), """{"weight_map":{"a":"one.safetensors"}}""");
        using SafetensorsShards shards = Open();
        Assert.Equal(["a"], shards.Names);
    }

    [Fact]
    public void AnIndexOfManyMegabytesIsRefusedUnread()
    {
        using (FileStream index = File.Create(_folder.Path(SafetensorsShards.IndexName)))
        {
            index.SetLength(33 << 20);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        InvalidDataException error = Assert.Throws<InvalidDataException>(Open);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
        Assert.EndsWith("are read of an index", error.Message);
    }

    [Fact]
    public void AShardThatIsNotThereIsAnErrorOfItsOwn()
    {
        File.WriteAllText(_folder.Path(SafetensorsShards.IndexName), """{"weight_map":{"a":"absent.safetensors"}}""");
        Assert.Throws<FileNotFoundException>(Open);
    }

    [Fact]
    public void AFolderWithoutAnIndexIsReadWhole()
    {
        WriteShard("two.safetensors", "b", "c");
        WriteShard("one.safetensors", "a");
        using SafetensorsShards shards = Open();
        Assert.Equal(["a", "b", "c"], shards.Names);
        Assert.True(shards.TryGet("c", out Tensor? tensor));
        Assert.Same(tensor, shards["c"]);
        Assert.Throws<KeyNotFoundException>(() => shards["d"]);
    }

    [Fact]
    public void ATensorInTwoFilesIsAnError()
    {
        WriteShard("two.safetensors", "b");
        WriteShard("one.safetensors", "b");
        InvalidDataException error = Assert.Throws<InvalidDataException>(Open);
        Assert.Contains("\"b\" is in another file", error.Message);
    }

    [Fact]
    public void AFolderWithoutTensorsSaysWhatItLacks()
    {
        FileNotFoundException error = Assert.Throws<FileNotFoundException>(Open);
        Assert.Contains("model.safetensors.index.json", error.Message);
    }

    [Fact]
    public void ShardsAreCutAlongTheOrderAndLargeTensorsStandAlone()
    {
        // Sizes 3, 3, 9, 2, 3 with shards of 8: the large one cuts nothing, so the 2 still joins the two 3s.
        int[] sizes = [3, 3, 9, 2, 3];
        StoredTensor[] tensors =
            [.. sizes.Select((size, i) => new StoredTensor($"{i}", Tensor.Zeros(new Shape(size), DType.U8)))];
        SafetensorsShards.Write(_folder.Path(""), tensors, 8, null);
        Assert.Equal(
            ["2", "0,1,3", "4"],
            Directory.GetFiles(_folder.Path(""), "*.safetensors").Order().Select(NamesOf));
        using SafetensorsShards shards = Open();
        Assert.Equal(tensors.Length, shards.Names.Count);
    }

    [Fact]
    public void ATensorThatIsGivenTwiceIsAnErrorBeforeAnythingIsWritten()
    {
        StoredTensor[] tensors =
            [.. ((string[])["a", "b", "a"]).Select(name => new StoredTensor(name, Tensor.Zeros(new(3), DType.U8)))];
        ArgumentException error = Assert.Throws<ArgumentException>(
            () => SafetensorsShards.Write(_folder.Path(""), tensors, 3, null));
        Assert.Contains("\"a\" is given twice", error.Message);
        Assert.Empty(Directory.GetFiles(_folder.Path("")));
    }

    [Fact]
    public void DamagedIndexesAreReadOrRefused()
    {
        WriteShard("one.safetensors", "a", "b", "c");
        string path = _folder.Path(SafetensorsShards.IndexName);
        byte[] index = Encoding.UTF8.GetBytes(
            """
            {"metadata":{"total_size":3},
            "weight_map":{"a":"one.safetensors","b":"one.safetensors","c":"one.safetensors"}}
            """);
        (int read, int refused) = Fuzz.Run(
            index,
            seed: 2,
            bytesAllowed: 1 << 20,
            bytes =>
            {
                File.WriteAllBytes(path, bytes);
                Open().Dispose();
            },
            error => error is InvalidDataException or FileNotFoundException);
        Assert.InRange(refused, read / 2, read);
    }

    private SafetensorsShards Open() => SafetensorsShards.Open(_folder.Path(""));

    private static string NamesOf(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        return string.Join(',', file.Names);
    }

    private void WriteShard(string file, params string[] names) => SafetensorsWriter.Write(
        _folder.Path(file), names.Select(name => new StoredTensor(name, Tensor.Zeros(new Shape(1), DType.U8))));
}
