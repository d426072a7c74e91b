using Tessera.Tensors.Files;
using Tessera.Testing;
using Xunit;

namespace Tessera.Tensors.Tests.Files;

public sealed class GgufFileTests
{
    [Fact]
    public void TheSmallModelsAreRead()
    {
        string[] paths = Directory.GetFiles(SharedFiles.Path("goldens/text"), "*.gguf");
        Assert.NotEmpty(paths);
        foreach (string path in paths)
        {
            using GgufFile file = GgufFile.Open(path);
            string architecture = file.Metadata.Text("general.architecture");
            int width = file.Metadata.Int($"{architecture}.embedding_length", 1, int.MaxValue);
            int layers = file.Metadata.Int($"{architecture}.block_count", 1, int.MaxValue);
            Tensor embedding = file["token_embd.weight"];
            Assert.Equal(width, embedding.Shape[1]);
            Assert.True(file.TryGet($"blk.{layers - 1}.ffn_norm.weight", out _)
                || file.TryGet($"blk.{layers - 1}.post_attention_norm.weight", out _));

            // Each value is a finite number where the places are right: the weights are random with a known spread.
            Assert.All(file.Names, name => Assert.All(Values(file[name]), value => Assert.InRange(value, -100, 100)));
        }
    }

    [Fact]
    public void ARealModelIsRead()
    {
        foreach (string path in Directory.GetFiles(SharedFiles.Path("models"), "*.gguf"))
        {
            using GgufFile file = GgufFile.Open(path);
            string[] tokens = file.Metadata.OptionalTexts("tokenizer.ggml.tokens")!;
            Assert.Equal(tokens.Length, file["token_embd.weight"].Shape[0]);
            Assert.Equal(tokens.Length, file.Metadata.OptionalInts("tokenizer.ggml.token_type", 0, 6)!.Length);
            Assert.Equal(tokens.Length, tokens.Distinct().Count());
            Assert.NotEmpty(file.Metadata.Text("tokenizer.chat_template"));
            Assert.Contains(file.Names, name => file[name].DType.IsBlocks());
        }
    }

    [Fact]
    public void ATensorOfAClosedFileSaysSo()
    {
        string path = Directory.GetFiles(SharedFiles.Path("goldens/text"), "*.gguf")[0];
        GgufFile file = GgufFile.Open(path);
        Tensor tensor = file[file.Names[0]];
        Assert.Throws<KeyNotFoundException>(() => file["absent"]);
        file.Dispose();
        Assert.Throws<InvalidOperationException>(() => tensor.ToArray<float>());
    }

    private static float[] Values(Tensor tensor)
    {
        using TensorScope scope = TensorScope.Begin();
        Tensor values = Tensor.Create(tensor.Shape, DType.F32);
        Conversion.Copy(tensor, values);
        return values.ToArray<float>();
    }
}
