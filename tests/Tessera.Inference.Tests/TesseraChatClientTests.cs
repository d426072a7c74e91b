using Microsoft.Extensions.AI;
using Tessera.Inference.Tests.Fakes;
using Xunit;

namespace Tessera.Inference.Tests;

public sealed class TesseraChatClientTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AnswersComeWholeAndStreamed()
    {
        using ChatModel model = EchoChat.Create();
        using TesseraChatClient client = new(model);
        ChatMessage[] conversation = [new(ChatRole.System, "Be short."), new(ChatRole.User, "Hello")];
        ChatOptions options = new() { Temperature = 0, MaxOutputTokens = 50, StopSequences = ["llo"] };

        ChatResponse whole = await client.GetResponseAsync(conversation, cancellationToken: Cancelled);
        Assert.Equal("system:Be short.;user:Hello;", whole.Text);
        Assert.Equal(ChatFinishReason.Stop, whole.FinishReason);
        Assert.Equal((29L, 28L, 57L), Counts(whole.Usage));

        ChatResponse streamed = await client.GetStreamingResponseAsync(conversation, options, Cancelled)
            .ToChatResponseAsync(Cancelled);
        Assert.Equal("system:Be short.;user:He", streamed.Text);
        Assert.Equal(ChatFinishReason.Stop, streamed.FinishReason);
        Assert.Equal((29L, 27L, 56L), Counts(streamed.Usage));
        Assert.Equal("echo", streamed.ModelId);

        ChatResponse cut = await client.GetResponseAsync(conversation, new() { MaxOutputTokens = 3 }, Cancelled);
        Assert.Equal("sys", cut.Text);
        Assert.Equal(ChatFinishReason.Length, cut.FinishReason);
    }

    [Fact]
    public async Task InstructionsComeFirst()
    {
        using ChatModel model = EchoChat.Create();
        using TesseraChatClient client = new(model);
        ChatResponse response = await client.GetResponseAsync("x", new() { Instructions = "y" }, Cancelled);
        Assert.Equal("system:y;user:x;", response.Text);
    }

    [Fact]
    public async Task WhatIsNotOfferedIsRefused()
    {
        using ChatModel model = EchoChat.Create();
        using TesseraChatClient client = new(model);
        await Assert.ThrowsAsync<NotSupportedException>(
            () => client.GetResponseAsync("x", new() { ResponseFormat = ChatResponseFormat.Json }, Cancelled));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => client.GetResponseAsync("x", new() { Temperature = -1 }, Cancelled));
        Assert.Same(model, client.GetService(typeof(ChatModel)));
        Assert.Equal("echo", client.GetRequiredService<ChatClientMetadata>().DefaultModelId);
    }

    private static (long?, long?, long?) Counts(UsageDetails? usage) =>
        (usage?.InputTokenCount, usage?.OutputTokenCount, usage?.TotalTokenCount);
}
