using System.Text;
using System.Text.Json;
using Tessera.Models.Gguf;
using Tessera.Models.Tokenizers;
using Tessera.Tensors.Files;
using Tessera.Testing;
using Xunit;

namespace Tessera.Models.Tests.Gguf;

public sealed class GgufTokenizerTests
{
    private const string Separator = "\n__ggml_vocab_test__\n";

    [Theory]
    [InlineData("gpt-2")]
    [InlineData("mpt")]
    [InlineData("starcoder")]
    [InlineData("refact")]
    public void VocabulariesGiveTheIdsOfTheFiles(string name)
    {
        string path = SharedFiles.Path($"goldens/tokenizers/ggml-vocab-{name}.gguf");
        using GgufFile file = GgufFile.Open(path);
        Tokenizer tokenizer = GgufTokenizer.Read(file);
        string[] inputs = File.ReadAllText(path + ".inp").Split(Separator);
        string[] outputs = File.ReadAllText(path + ".out").Split('\n');
        for (int i = 0; i < inputs.Length; i++)
        {
            int[] wanted = [.. outputs[i].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];
            Assert.Equal(wanted, tokenizer.Encode(inputs[i]));
        }
    }

    [Fact]
    public void TheRealModelsTokenizerIsTheFiles()
    {
        using JsonDocument document = JsonDocument.Parse(
            File.ReadAllBytes(SharedFiles.Path("goldens/smollm2/tokenizer.json")));
        JsonElement cases = document.RootElement;
        foreach (string path in Directory.GetFiles(SharedFiles.Path("models"), "SmolLM2*.gguf"))
        {
            using GgufFile file = GgufFile.Open(path);
            Tokenizer tokenizer = GgufTokenizer.Read(file);
            foreach (JsonElement one in cases.GetProperty("cases").EnumerateArray())
            {
                string text = one.GetProperty("text").GetString()!;
                int[] ids = Ids(one.GetProperty("ids"));
                Assert.Equal(ids, tokenizer.EncodeWithSpecials(text));
                int[] plain = one.TryGetProperty("ids_plain", out JsonElement given) ? Ids(given) : ids;
                Assert.Equal(plain, tokenizer.Encode(text));
                Assert.Equal(
                    one.TryGetProperty("decoded", out JsonElement decoded) ? decoded.GetString() : text,
                    tokenizer.Decode(ids));
            }

            foreach (JsonElement one in cases.GetProperty("decode").EnumerateArray())
            {
                byte[] bytes = [.. Ids(one.GetProperty("ids")).SelectMany(id => tokenizer.TokenBytes(id).ToArray())];
                Assert.Equal(one.GetProperty("bytes_hex").GetString(), Convert.ToHexStringLower(bytes));
            }

            foreach (JsonElement one in cases.GetProperty("bytes").EnumerateArray())
            {
                string text = Encoding.UTF8.GetString(Convert.FromHexString(one.GetProperty("bytes_hex").GetString()!));
                Assert.Equal(Ids(one.GetProperty("ids")), tokenizer.Encode(text));
            }

            Assert.Equal(
                Ids(cases.GetProperty("control_ids")), tokenizer.SpecialTokens.Select(token => token.Id));
        }
    }

    [Fact]
    public void AVocabularyThatIsNotSupportedSaysWhy()
    {
        string path = SharedFiles.Path("goldens/tokenizers/ggml-vocab-bert-bge.gguf");
        using GgufFile file = GgufFile.Open(path);
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => GgufTokenizer.Read(file));
        Assert.StartsWith($"{path}: tokenizer.ggml.model \"bert\"", error.Message);
    }

    private static int[] Ids(JsonElement list) => [.. list.EnumerateArray().Select(id => id.GetInt32())];
}
