using System.Text.Json;
using Tessera.Testing;
using Xunit;

namespace Tessera.Cli.Tests.Chat;

/// <summary>Holds conversations with a tiny model of random weights, typed by a test.</summary>
public sealed class ChatCommandTests
{
    [Fact]
    public async Task AnswersAloneGoToStandardOutput()
    {
        TesseraProcess chat = await ChatAsync("/help\nHello\n/stats\n/exit\nnot read\n");
        Assert.Equal(0, chat.ExitCode);
        Assert.Contains("/regen", chat.Error);
        Assert.Contains("last answer", chat.Error);
        Assert.NotEmpty(chat.Output.Trim());
        Assert.DoesNotContain("/regen", chat.Output);
        Assert.DoesNotContain("\e", chat.Error);

        // The same seed gives the same answer, and nothing but it comes out.
        Assert.Equal(chat.Output, (await ChatAsync("Hello\n")).Output);
    }

    [Fact]
    public async Task ConversationsAreSavedAndGoneOnWith()
    {
        using TemporaryFolder folder = new();
        string path = folder.Path("chat.json");
        await ChatAsync($"/system Be short.\nHello\nmore\n/undo\n/save {path}\n");
        string[] roles = Messages(path, "role");
        Assert.Equal(["system", "user", "assistant"], roles);
        Assert.Equal("Be short.", Messages(path, "content")[0]);

        string again = folder.Path("again.json");
        TesseraProcess loaded = await ChatAsync($"/load {path}\n/regen\n/save {again}\n");
        Assert.Equal(roles, Messages(again, "role"));
        Assert.Equal(Messages(path, "content")[..2], Messages(again, "content")[..2]);
        Assert.Contains("Hello", loaded.Error);
    }

    [Fact]
    public async Task WhatCannotBeDoneIsSaidAndTheChatGoesOn()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder.Path("wrong.json"), "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}");
        TesseraProcess chat = await ChatAsync(
            $"/regen\n/undo\n/nope\n/save\n/load {folder.Path("absent")}\n/load {folder.Path("wrong.json")}\nHello\n");
        Assert.Equal(0, chat.ExitCode);
        Assert.Contains("no answer yet", chat.Error);
        Assert.Contains("nothing was said yet", chat.Error);
        Assert.Contains("/nope is no command", chat.Error);
        Assert.Contains("needs the name of a file", chat.Error);
        Assert.Contains("absent", chat.Error);
        Assert.Contains("wrong.json", chat.Error);
        Assert.NotEmpty(chat.Output.Trim());
    }

    [Fact]
    public async Task AQuestionThatIsTooLongIsSaidAndTakesNothingAway()
    {
        using TemporaryFolder folder = new();
        string path = folder.Path("chat.json");
        TesseraProcess chat = await ChatAsync($"Hello\n{new string('漢', 2000)}\n/save {path}\n");
        Assert.Contains("shorten the prompt", string.Join(' ', chat.Error.Split()));
        Assert.Equal(["user", "assistant"], Messages(path, "role"));
        Assert.Equal("Hello", Messages(path, "content")[0]);

        // Nobody typed it: what asked must learn that it got no answer.
        Assert.Equal(1, chat.ExitCode);
    }

    [Theory]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":null},{\"role\":\"assistant\",\"content\":\"x\"}]}")]
    [InlineData("{\"messages\":[{\"role\":null,\"content\":\"x\"},{\"role\":\"assistant\",\"content\":\"x\"}]}")]
    [InlineData("{\"messages\":5}")]
    [InlineData("{")]
    public async Task AFileThatHoldsNoConversationIsSaid(string content)
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder.Path("wrong.json"), content);
        TesseraProcess chat = await ChatAsync($"/load {folder.Path("wrong.json")}\n/undo\n");
        Assert.Equal(0, chat.ExitCode);
        Assert.Contains("holds no conversation", string.Join(' ', chat.Error.Split()));
        Assert.Contains("nothing was said yet", chat.Error);
    }

    [Fact]
    public async Task TheOldestIsForgottenWhenTheContextIsFull()
    {
        using TemporaryFolder folder = new();
        string path = folder.Path("chat.json");
        string questions = string.Concat(Enumerable.Range(0, 12).Select(i => $"question number {i} of some words\n"));
        TesseraProcess chat = await ChatAsync($"{questions}/save {path}\n");
        Assert.Contains("are forgotten", chat.Error);
        string[] contents = Messages(path, "content");
        Assert.DoesNotContain("question number 0 of some words", contents);
        Assert.Contains("question number 11 of some words", contents);
    }

    private static Task<TesseraProcess> ChatAsync(string typed) => TesseraProcess.RunAsync(
        typed, "chat", TesseraProcess.Model(), "--max-tokens", "8", "--seed", "1");

    private static string[] Messages(string path, string field)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(path));
        return [.. document.RootElement.GetProperty("messages").EnumerateArray()
            .Select(message => message.GetProperty(field).GetString()!)];
    }
}
