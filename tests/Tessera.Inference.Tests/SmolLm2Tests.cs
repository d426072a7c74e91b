using System.Text.Json;
using Tessera.Inference.Sampling;
using Tessera.Models.ChatTemplates;
using Tessera.Testing;
using Xunit;

namespace Tessera.Inference.Tests;

/// <summary>
/// Lets the real model answer from its GGUF file alone: tokenizer, template and stop tokens are the file's.
/// </summary>
public sealed class SmolLm2Tests
{
    [Fact]
    public void ConversationsAreTheFilesIds()
    {
        using ChatModel model = Load();
        foreach (JsonElement chat in Read("chat"))
        {
            ChatTurn[] turns =
            [
                .. chat.GetProperty("messages").EnumerateArray().Select(message => new ChatTurn(
                    message.GetProperty("role").GetString()!, message.GetProperty("content").GetString()!)),
            ];
            bool prompts = chat.GetProperty("add_generation_prompt").GetBoolean();
            RenderedChat rendered = model.Template!.Render(turns, prompts);
            Assert.Equal(chat.GetProperty("text").GetString(), rendered.Text);
            Assert.Equal(Ids(chat.GetProperty("ids")), model.Tokenizer.Encode(rendered.Spans));
        }
    }

    [Fact]
    public async Task GreedyAnswersAreTheFilesToTheLastToken()
    {
        using ChatModel model = Load();
        foreach (JsonElement answer in Read("greedy"))
        {
            int[] wanted = Ids(answer.GetProperty("ids"));
            GenerationRequest request = model.Ask([new ChatTurn("user", answer.GetProperty("user").GetString()!)]);
            Assert.Equal(Ids(answer.GetProperty("prompt_ids")), request.Prompt);
            using Generation generation = model.Engine.Generate(
                request with { MaxTokens = wanted.Length, Sampling = SamplingOptions.Greedy });
            GenerationPiece whole = await generation.ReadToEndAsync(TestContext.Current.CancellationToken);
            Assert.Equal(answer.GetProperty("text").GetString(), whole.Text);
        }
    }

    private static ChatModel Load()
    {
        string[] found = Directory.GetFiles(SharedFiles.Path("models"), "SmolLM2*.gguf");
        Assert.SkipWhen(found.Length == 0, "models has no SmolLM2*.gguf");
        return ChatModel.Load(found[0], new EngineOptions { MaxConcurrent = 1, ContextLength = 1024 });
    }

    private static JsonElement[] Read(string name)
    {
        using JsonDocument document = JsonDocument.Parse(
            File.ReadAllBytes(SharedFiles.Path($"goldens/smollm2/{name}.json")));
        return [.. document.RootElement.Clone().EnumerateArray()];
    }

    private static int[] Ids(JsonElement list) => [.. list.EnumerateArray().Select(id => id.GetInt32())];
}
