using System.Text.Json.Nodes;
using Tessera.Models.Tokenizers;
using Tessera.Testing;
using Xunit;

namespace Tessera.Inference.Tests;

/// <summary>Loads a tiny model of goldens/hf-folders whose files were damaged.</summary>
public sealed class ChatModelTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tessera-model-").FullName;

    public ChatModelTests()
    {
        string? from = SharedFiles.TryPath("goldens/hf-folders/qwen3");
        Assert.SkipWhen(from is null, "goldens/hf-folders is absent");
        foreach (string file in Directory.GetFiles(from))
        {
            File.Copy(file, Path.Combine(_folder, Path.GetFileName(file)));
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void EveryBrokenFileIsNamed(bool weights, bool tokenizer)
    {
        if (weights)
        {
            // The last bytes are values of the last tensor; with all bits set they are no numbers in any type.
            using FileStream file = File.OpenWrite(Path.Combine(_folder, "model.safetensors"));
            file.Seek(-64, SeekOrigin.End);
            file.Write([.. Enumerable.Repeat((byte)0xFF, 64)]);
        }

        if (tokenizer)
        {
            File.WriteAllText(Path.Combine(_folder, "tokenizer.json"), "{}");
        }

        InvalidDataException e = Assert.Throws<InvalidDataException>(() => ChatModel.Load(_folder));
        Assert.Equal(weights, e.Message.Contains("is NaN", StringComparison.Ordinal));
        Assert.Equal(tokenizer, e.Message.Contains("tokenizer.json", StringComparison.Ordinal));
    }

    [Fact]
    public void ATextThatTheVocabularyLacksIsAnErrorOfItsOwn()
    {
        string path = Path.Combine(_folder, "tokenizer.json");
        JsonNode tokenizer = JsonNode.Parse(File.ReadAllText(path))!;
        JsonObject vocabulary = tokenizer["model"]!["vocab"]!.AsObject();
        vocabulary.Remove("q");
        JsonArray merges = tokenizer["model"]!["merges"]!.AsArray();
        merges.Clear();
        File.WriteAllText(path, tokenizer.ToJsonString());
        using ChatModel model = ChatModel.Load(_folder);
        UnencodableTextException e = Assert.Throws<UnencodableTextException>(() => model.Continue("a q"));
        Assert.Contains("0x71", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ABeginningThatTheModelDoesNotKnowIsRefused()
    {
        string path = Path.Combine(_folder, "generation_config.json");
        JsonNode fields = JsonNode.Parse(File.ReadAllText(path))!;
        fields["bos_token_id"] = 99_999_999;
        File.WriteAllText(path, fields.ToJsonString());
        InvalidDataException e = Assert.Throws<InvalidDataException>(() => ChatModel.Load(_folder));
        Assert.Contains("bos_token_id is 99999999", e.Message, StringComparison.Ordinal);
    }
}
