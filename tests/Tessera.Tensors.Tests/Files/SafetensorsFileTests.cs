using System.Buffers.Binary;
using System.Text.Json;
using Tessera.Tensors.Files;
using Tessera.Testing;
using Xunit;

namespace Tessera.Tensors.Tests.Files;

public sealed class SafetensorsFileTests
{
    [Fact]
    public void ReadsWhatTheHeadersOfTheReferenceFilesSay()
    {
        int tensors = 0;
        foreach (string path in ReferenceFiles())
        {
            byte[] bytes = File.ReadAllBytes(path);
            int length = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
            using JsonDocument header = JsonDocument.Parse(bytes.AsMemory(8, length));
            using SafetensorsFile file = SafetensorsFile.Open(path);
            foreach (JsonProperty property in header.RootElement.EnumerateObject().Where(p => p.Name != "__metadata__"))
            {
                Tensor tensor = file[property.Name];
                int begin = property.Value.GetProperty("data_offsets")[0].GetInt32();
                int end = property.Value.GetProperty("data_offsets")[1].GetInt32();
                Assert.Equal(property.Value.GetProperty("dtype").GetString(), tensor.DType.ToString());
                Assert.Equal(property.Value.GetProperty("shape").GetRawText(), $"[{tensor.Shape.ToString()[1..^1]}]");
                Assert.Equal(bytes.AsSpan((8 + length + begin)..(8 + length + end)), Bytes(tensor));
                tensors++;
            }

            Assert.Equal(header.RootElement.EnumerateObject().Count(p => p.Name != "__metadata__"), file.Names.Count);
        }

        Assert.NotEqual(0, tensors);
    }

    [Fact]
    public void TensorsOfADisposedFileSaySo()
    {
        SafetensorsFile file = SafetensorsFile.Open(ReferenceFiles()[0]);
        Tensor tensor = file[file.Names[0]];
        file.Dispose();
        Assert.Throws<InvalidOperationException>(() => tensor.View(tensor.Shape));
    }

    private static string[] ReferenceFiles() =>
        Directory.GetFiles(SharedFiles.Path("goldens/hf-folders"), "*.safetensors", SearchOption.AllDirectories);

    private static unsafe ReadOnlySpan<byte> Bytes(Tensor tensor) =>
        new(tensor.Data, (int)tensor.Shape.Count * tensor.DType.Size());
}
