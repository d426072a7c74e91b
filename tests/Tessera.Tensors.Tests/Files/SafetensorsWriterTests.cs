using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Tessera.Tensors.Files;
using Tessera.Testing;
using Xunit;

namespace Tessera.Tensors.Tests.Files;

public sealed class SafetensorsWriterTests
{
    private static readonly DType[] _types =
        [DType.F64, DType.F32, DType.F16, DType.BF16, DType.I64, DType.I32, DType.U8];

    [Fact]
    public void WritesTheReferenceFilesAgainWithTheSameBytes()
    {
        int files = 0;
        foreach (string folder in (string[])["goldens/hf-folders", "goldens/training"])
        {
            string root = SharedFiles.Path(folder);
            foreach (string path in Directory.GetFiles(root, "*.safetensors", SearchOption.AllDirectories))
            {
                using SafetensorsFile file = SafetensorsFile.Open(path);
                using MemoryStream written = new();

                // In an order that is not the file's.
                StoredTensor[] tensors = [.. file.Names.Reverse().Select(name => new StoredTensor(name, file[name]))];
                SafetensorsWriter.Write(written, tensors, file.Metadata.Count > 0 ? file.Metadata : null);
                bool same = File.ReadAllBytes(path).AsSpan().SequenceEqual(written.ToArray());
                Assert.True(same, $"{path} is written otherwise");
                files++;
            }
        }

        Assert.NotEqual(0, files);
    }

    [Property]
    public Property WhatIsWrittenIsRead()
    {
        Gen<(string Name, DType Type, int[] Sizes)> tensor =
            from name in ArbMap.Default.GeneratorFor<NonNull<string>>().Select(name => name.Get)
            from type in Gen.Elements(_types)
            from rank in Gen.Choose(0, Shape.MaximumRank)
            from sizes in Gen.Choose(0, 5).ArrayOf(rank)
            select (name, type, sizes);
        return Prop.ForAll(tensor.ListOf().ToArbitrary(), RoundTrip);
    }

    [Fact]
    public void ValuesAreRoundedToTheTypeThatIsStored()
    {
        using TensorScope scope = TensorScope.Begin();
        using TemporaryFolder folder = new();
        float[] values = [1, -2.7182817f, 1e-30f, 65504, 3.0f + MathF.ScaleB(1, -20), 0];
        Tensor tensor = Tensor.From(new Shape(2, 3), values.AsSpan());
        StoredTensor[] stored =
        [
            .. _types.Where(type => type.IsFloat()).Select(type => new StoredTensor(type.ToString(), tensor, type)),
        ];
        SafetensorsWriter.Write(folder.Path("a.safetensors"), stored);
        using SafetensorsFile file = SafetensorsFile.Open(folder.Path("a.safetensors"));
        Assert.Equal(values, file["F32"].ToArray<float>());
        Assert.Equal(Array.ConvertAll(values, value => (double)value), file["F64"].ToArray<double>());
        Assert.Equal(Array.ConvertAll(values, value => (Half)value), file["F16"].ToArray<Half>());
        Assert.Equal(Array.ConvertAll(values, value => (BFloat16)value), file["BF16"].ToArray<BFloat16>());
    }

    [Fact]
    public void ATensorOverManyBuffersIsWrittenWhole()
    {
        using TensorScope scope = TensorScope.Begin();
        using MemoryStream stream = new();
        Tensor tensor = Tensor.Create(new Shape(1000, 701), DType.F32);
        Span<float> values = tensor.Span<float>();
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = i;
        }

        SafetensorsWriter.Write(stream, [new StoredTensor("a", tensor)]);
        byte[] written = stream.ToArray();
        Span<byte> data = written.AsSpan()[^(values.Length * sizeof(float))..];
        Assert.True(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(data).SequenceEqual(values));
    }

    [Fact]
    public void WrongRequestsAreErrorsBeforeAnythingIsWritten()
    {
        using TensorScope scope = TensorScope.Begin();
        using MemoryStream stream = new();
        Tensor ids = Tensor.Zeros(new Shape(2), DType.I32);
        foreach (StoredTensor[] wrong in (StoredTensor[][])[
            [new("a", ids), new("a", ids)],
            [new("__metadata__", ids)],
            [new("a", ids, DType.F32)],
            [new("\ud800", ids)]])
        {
            Assert.ThrowsAny<ArgumentException>(() => SafetensorsWriter.Write(stream, wrong));
            Assert.Equal(0, stream.Length);
        }
    }

    private static bool RoundTrip(List<(string Name, DType Type, int[] Sizes)> wanted)
    {
        using TensorScope scope = TensorScope.Begin();
        using TemporaryFolder folder = new();
        Dictionary<string, StoredTensor> tensors = new(StringComparer.Ordinal);
        foreach ((string name, DType type, int[] sizes) in wanted.Where(item => IsText(item.Name)))
        {
            Tensor tensor = Tensor.Create(new Shape(sizes), type);
            new Random(tensors.Count).NextBytes(Bytes(tensor));
            tensors[name] = new StoredTensor(name, tensor);
        }

        string path = folder.Path("a.safetensors");
        SafetensorsWriter.Write(path, tensors.Values);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        return file.Names.Count == tensors.Count && tensors.All(item =>
            file[item.Key].DType == item.Value.Type
            && file[item.Key].Shape == item.Value.Value.Shape
            && Bytes(file[item.Key]).SequenceEqual(Bytes(item.Value.Value)));
    }

    private static bool IsText(string name) =>
        name != "__metadata__" && !name.EnumerateRunes().Any(rune => rune == System.Text.Rune.ReplacementChar);

    private static unsafe Span<byte> Bytes(Tensor tensor) =>
        new(tensor.Data, (int)tensor.Shape.Count * tensor.DType.Size());
}
