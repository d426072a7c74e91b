using System.ClientModel;
using System.Text;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Models;
using Xunit;

namespace Tessera.Server.Tests;

/// <summary>Talks to the server with OpenAI's own .NET client, unmodified.</summary>
public sealed class OpenAIClientTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TheClientCompletes()
    {
        await using TestServer server = await TestServer.StartAsync(new() { ApiKey = "sk-test" });
        ChatCompletion answer = await Chat(server).CompleteChatAsync(
            [new SystemChatMessage("Be short."), new UserChatMessage("hi")],
            new ChatCompletionOptions { Temperature = 0, MaxOutputTokenCount = 100, IncludeLogProbabilities = true },
            Cancelled);
        Assert.Equal("system:Be short.;user:hi;", answer.Content[0].Text);
        Assert.Equal(ChatFinishReason.Stop, answer.FinishReason);
        Assert.Equal((26, 25), (answer.Usage.InputTokenCount, answer.Usage.OutputTokenCount));
        Assert.Equal(25, answer.ContentTokenLogProbabilities.Count);
    }

    [Fact]
    public async Task TheClientStreams()
    {
        await using TestServer server = await TestServer.StartAsync(new() { ApiKey = "sk-test" });
        StringBuilder text = new();
        (ChatFinishReason? reason, int? tokens) = (null, null);
        await foreach (StreamingChatCompletionUpdate update in Chat(server).CompleteChatStreamingAsync(
            [new UserChatMessage("hi")], cancellationToken: Cancelled))
        {
            text.Append(string.Concat(update.ContentUpdate.Select(part => part.Text)));
            (reason, tokens) = (update.FinishReason ?? reason, update.Usage?.TotalTokenCount ?? tokens);
        }

        Assert.Equal("user:hi;", text.ToString());
        Assert.Equal((ChatFinishReason.Stop, 17), (reason!.Value, tokens));
    }

    [Fact]
    public async Task TheClientUnderstandsErrorsAndModels()
    {
        await using TestServer server = await TestServer.StartAsync(new() { ApiKey = "sk-test" });
        ClientResultException unknown = await Assert.ThrowsAsync<ClientResultException>(
            () => Client(server).GetChatClient("other").CompleteChatAsync([new UserChatMessage("hi")]));
        Assert.Equal(404, unknown.Status);
        Assert.Contains("model_not_found", unknown.Message);
        OpenAIModel model = await Client(server).GetOpenAIModelClient().GetModelAsync("echo", Cancelled);
        Assert.Equal("tessera", model.OwnedBy);
    }

    private static ChatClient Chat(TestServer server) => Client(server).GetChatClient("echo");

    private static OpenAIClient Client(TestServer server) => new(
        new ApiKeyCredential("sk-test"), new OpenAIClientOptions { Endpoint = new Uri(server.Address, "/v1") });
}
