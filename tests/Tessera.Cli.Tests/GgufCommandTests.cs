using System.Text.Json;
using Tessera.Testing;
using Xunit;

namespace Tessera.Cli.Tests;

/// <summary>Gives each command that takes a model the real one as a GGUF file.</summary>
public sealed class GgufCommandTests
{
    [Fact]
    public async Task EveryCommandTakesAGgufFile()
    {
        using TemporaryFolder folder = new();
        string model = Directory.GetFiles(SharedFiles.Path("models"), "SmolLM2*.gguf")[0];
        using JsonDocument greedy = JsonDocument.Parse(
            File.ReadAllBytes(SharedFiles.Path("goldens/smollm2/greedy.json")));
        JsonElement asked = greedy.RootElement[0];
        string ids = string.Join(',', asked.GetProperty("prompt_ids").EnumerateArray().Select(id => id.GetInt32()));
        string question = asked.GetProperty("user").GetString()!;
        string text = folder.Path("text.txt");
        File.WriteAllText(text, question);

        string answer = await TesseraProcess.ResultAsync(question + "\n", "chat", model, "--temperature", "0");
        Assert.Equal(asked.GetProperty("text").GetString(), answer.Trim());
        Assert.Contains("llama", await TesseraProcess.ResultAsync("", "inspect", model));
        string prompt = asked.GetProperty("prompt").GetString()!;
        string tokens = await TesseraProcess.ResultAsync(prompt, "tokenize", model, "--special");
        Assert.Equal(ids, tokens.Trim().Trim('[', ']').Replace(" ", "", StringComparison.Ordinal));
        Assert.NotEmpty(await TesseraProcess.ResultAsync(
            "", "generate", model, "--prompt", question, "--max-tokens", "2"));
        Assert.Contains("bits/byte", await TesseraProcess.ResultAsync(
            "", "evaluate-loss", model, "--data", text, "--context", "64"));
        Assert.Contains("prefill", await TesseraProcess.ResultAsync(
            "", "bench", model, "--prompt", "8", "--generate", "2", "--depth", "0", "--parallel", "1"));
        string logits = folder.Path("logits");
        await TesseraProcess.ResultAsync("", "logits", model, "--tokens", ids, "--output", logits);
        Assert.True(new FileInfo(logits).Length > 0);
    }
}
