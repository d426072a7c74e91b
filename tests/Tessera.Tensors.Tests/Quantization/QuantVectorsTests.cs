using System.Text.Json;
using Tessera.Tensors.Files;
using Tessera.Tensors.Quantization;
using Tessera.Testing;
using Xunit;

namespace Tessera.Tensors.Tests.Quantization;

public sealed class QuantVectorsTests
{
    [Fact]
    public void BlocksExpandToTheBitsOfTheFile()
    {
        using JsonDocument file = JsonDocument.Parse(
            File.ReadAllBytes(SharedFiles.Path("goldens/quant_vectors.json")));
        int compared = 0;
        foreach (JsonElement entry in file.RootElement.GetProperty("types").EnumerateArray())
        {
            DType? known = GgmlTypes.Find(entry.GetProperty("id").GetUInt32());
            Assert.True(known is not null, $"{entry.GetProperty("name")} is not read");
            DType type = known.Value;
            Assert.Equal(entry.GetProperty("block").GetInt32(), type.BlockLength());
            Assert.Equal(entry.GetProperty("bytes").GetInt32(), type.BlockBytes());
            uint[] wanted = [.. entry.GetProperty("deq_bits").EnumerateArray().Select(bits => bits.GetUInt32())];
            byte[] stored = Convert.FromHexString(entry.GetProperty("q").GetString()!);
            float[] values = Expand(stored, type, wanted.Length);
            for (int i = 0; i < wanted.Length; i++)
            {
                Assert.True(
                    wanted[i] == BitConverter.SingleToUInt32Bits(values[i]),
                    $"{type}: value {i} is {values[i]:R}, wanted {BitConverter.UInt32BitsToSingle(wanted[i]):R}");
            }

            compared++;
        }

        Assert.True(compared > 0);
    }

    [Fact]
    public void LengthsThatDoNotBelongTogetherAreErrors()
    {
        Assert.Throws<ArgumentException>(() => Dequantization.ToSingle(new byte[18], DType.Q4_0, new float[31]));
        Assert.Throws<ArgumentException>(() => Dequantization.ToSingle(new byte[17], DType.Q4_0, new float[32]));
        Assert.Throws<ArgumentException>(() => Dequantization.ToSingle(new byte[36], DType.Q4_0, new float[32]));
        Assert.Throws<ArgumentException>(() => Dequantization.ToSingle(new byte[4], DType.F32, new float[1]));
        Assert.Throws<ArgumentException>(() => DType.Q4_K.Bytes(128));
    }

    // By way of the conversion that weights take, whose pieces must fall between blocks.
    private static unsafe float[] Expand(byte[] stored, DType type, int count)
    {
        using TensorScope scope = TensorScope.Begin();
        Tensor values = Tensor.Create(new Shape(count), DType.F32);
        fixed (byte* data = stored)
        {
            Conversion.Copy(Tensor.Over(data, new Shape(count), type, stored), values);
        }

        return values.ToArray<float>();
    }
}
