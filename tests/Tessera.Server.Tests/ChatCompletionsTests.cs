using System.Net;
using System.Text;
using System.Text.Json;
using Xunit;

namespace Tessera.Server.Tests;

public sealed class ChatCompletionsTests
{
    private readonly OpenApiDocument _document = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AWholeAnswerHasTheDocumentedShape()
    {
        await using TestServer server = await TestServer.StartAsync();
        JsonElement answer = await server.CompleteAsync(TestServer.Body());
        _document.AssertIs("CreateChatCompletionResponse", answer);
        Assert.StartsWith("chatcmpl-", answer.GetProperty("id").GetString());
        Assert.Equal("echo", answer.GetProperty("model").GetString());
        JsonElement choice = answer.GetProperty("choices")[0];
        Assert.Equal("user:hi;", choice.GetProperty("message").GetProperty("content").GetString());
        Assert.Equal("stop", choice.GetProperty("finish_reason").GetString());
        Assert.Equal(JsonValueKind.Null, choice.GetProperty("logprobs").ValueKind);
        Assert.Equal(
            """{"prompt_tokens":9,"completion_tokens":8,"total_tokens":17}""", answer.GetProperty("usage").ToString());
    }

    [Theory]
    [InlineData("""{"role":"developer","content":"x"},{"role":"user","content":"a"}""", "system:x;user:a;")]
    [InlineData(
        """{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}],"name":"m"}""", "user:ab;")]
    [InlineData("""{"role":"assistant","content":null,"refusal":"no"}""", "assistant:no;")]
    [InlineData("""{"role":"assistant","content":"A","refusal":null,"annotations":[]}""", "assistant:A;")]
    [InlineData("""{"role":"user","content":"漢 \u2028😀\ud83d\ude00"}""", "user:漢 \u2028😀😀;")]
    public async Task MessagesOfAllFormsAreUnderstood(string messages, string expected)
    {
        await using TestServer server = await TestServer.StartAsync();
        JsonElement answer = await server.CompleteAsync($$"""{"model":"echo","messages":[{{messages}}]}""");
        Assert.Equal(expected, Content(answer.GetProperty("choices")[0]));
    }

    [Fact]
    public async Task EveryFieldMayBeNullAndHarmlessOnesPass()
    {
        await using TestServer server = await TestServer.StartAsync();
        string[] fields =
        [
            "temperature", "top_p", "presence_penalty", "frequency_penalty", "n", "max_tokens", "max_completion_tokens",
            "stop", "seed", "logit_bias", "logprobs", "top_logprobs", "stream", "stream_options", "tools",
            "tool_choice", "functions", "function_call", "response_format", "audio", "modalities",
            "web_search_options", "top_k", "min_p", "repetition_penalty", "user", "metadata", "store", "service_tier",
        ];
        await server.CompleteAsync(TestServer.Body(string.Join(',', fields.Select(field => $"\"{field}\":null"))));
        await server.CompleteAsync(TestServer.Body(
            """
            "user":"u","metadata":{"a":"b"},"store":false,"service_tier":"auto","safety_identifier":"s",
            "prompt_cache_key":"k","reasoning_effort":"low","verbosity":"low","parallel_tool_calls":true,"tools":[],
            "tool_choice":"none","response_format":{"type":"text"},"modalities":[ "text" ],"top_k":0,"n":1.0
            """));
    }

    [Fact]
    public async Task AStreamGivesTheSameAnswerInChunksOfTheDocumentedShape()
    {
        await using TestServer server = await TestServer.StartAsync();
        string[] events = await server.StreamAsync(TestServer.Body("\"stream\":true"));
        Assert.Equal("[DONE]", events[^1]);
        JsonElement[] chunks = Parse(events);
        Assert.All(chunks, chunk =>
        {
            _document.AssertIs("CreateChatCompletionStreamResponse", chunk);
            Assert.Equal(chunks[0].GetProperty("id").ToString(), chunk.GetProperty("id").ToString());
            Assert.False(chunk.TryGetProperty("usage", out _));
        });
        Assert.Equal("""{"role":"assistant","content":""}""", Delta(chunks[0]).ToString());
        Assert.Equal("user:hi;", Text(chunks, 0));
        Assert.All(chunks[..^1], chunk => Assert.Null(Finish(chunk)));
        Assert.Equal("stop", Finish(chunks[^1]));
        Assert.Equal("{}", Delta(chunks[^1]).ToString());
    }

    [Fact]
    public async Task UsageComesLastAndOnlyWhenAskedFor()
    {
        await using TestServer server = await TestServer.StartAsync();
        JsonElement[] chunks = Parse(await server.StreamAsync(
            TestServer.Body("""  "stream":true,"n":2,"stream_options":{"include_usage":true} """)));
        Assert.All(chunks[..^1], chunk => Assert.Equal(JsonValueKind.Null, chunk.GetProperty("usage").ValueKind));
        _document.AssertIs("CreateChatCompletionStreamResponse", chunks[^1]);
        Assert.Equal(0, chunks[^1].GetProperty("choices").GetArrayLength());
        Assert.Equal(
            """{"prompt_tokens":9,"completion_tokens":16,"total_tokens":25}""",
            chunks[^1].GetProperty("usage").ToString());
        Assert.Equal("user:hi;", Text(chunks[..^1], 0));
        Assert.Equal("user:hi;", Text(chunks[..^1], 1));
    }

    [Fact]
    public async Task StopsAndLengthsEndAnswers()
    {
        await using TestServer server = await TestServer.StartAsync();
        JsonElement stopped = await server.CompleteAsync(TestServer.Body("\"stop\":[\"nothing\",\":h\"]"));
        Assert.Equal("user", Content(stopped.GetProperty("choices")[0]));
        JsonElement cut = await server.CompleteAsync(TestServer.Body("\"max_completion_tokens\":3"));
        Assert.Equal("use", Content(cut.GetProperty("choices")[0]));
        Assert.Equal("length", cut.GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        Assert.Equal(3, cut.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
    }

    [Fact]
    public async Task LogprobsGoWithTheirText()
    {
        await using TestServer server = await TestServer.StartAsync();
        JsonElement answer = await server.CompleteAsync(
            TestServer.Body("\"logprobs\":true,\"top_logprobs\":2,\"stop\":\"i\""));
        _document.AssertIs("CreateChatCompletionResponse", answer);
        JsonElement[] tokens = [.. Tokens(answer)];
        Assert.Equal("user:h", string.Concat(tokens.Select(Token)));
        Assert.All(tokens, token =>
        {
            Assert.Equal(2, token.GetProperty("top_logprobs").GetArrayLength());
            Assert.Equal(Token(token), Token(token.GetProperty("top_logprobs")[0]));
            Assert.Equal(Token(token)![0], token.GetProperty("bytes")[0].GetInt32());
        });

        JsonElement[] chunks = Parse(await server.StreamAsync(TestServer.Body("\"logprobs\":true,\"stream\":true")));
        Assert.Equal("user:hi;", string.Concat(chunks.SelectMany(Tokens).Select(Token)));
    }

    [Fact]
    public async Task TheSameSeedGivesTheSameAnswer()
    {
        await using TestServer server = await TestServer.StartAsync();

        // An unsure model, so that answers of different seeds differ.
        string body = TestServer.Body("\"max_tokens\":40,\"n\":2,\"seed\":0").Replace("\"hi\"", "\"flat\"");
        string[] answers = new string[3];
        for (int i = 0; i < 3; i++)
        {
            JsonElement answer = await server.CompleteAsync(body.Replace("\"seed\":0", $"\"seed\":{(i < 2 ? -5 : 6)}"));
            answers[i] = string.Join('|', answer.GetProperty("choices").EnumerateArray().Select(Content));
        }

        Assert.Equal(answers[0], answers[1]);
        Assert.NotEqual(answers[0], answers[2]);
        Assert.NotEqual(answers[0].Split('|')[0], answers[0].Split('|')[1]);
    }

    [Fact]
    public async Task LogitBiasBansAToken()
    {
        await using TestServer server = await TestServer.StartAsync();
        JsonElement answer = await server.CompleteAsync(
            TestServer.Body("\"logit_bias\":{\"117\":-100},\"temperature\":0,\"max_tokens\":1"));
        Assert.NotEqual("u", Content(answer.GetProperty("choices")[0]));
    }

    [Fact]
    public async Task AClientThatLeavesFreesTheEngine()
    {
        await using TestServer server = await TestServer.StartAsync(
            contextLength: 1 << 20, engine: new() { MaxConcurrent = 1, MaxWaiting = 0, CachePositions = 1 << 20 });
        string endless = """{"model":"echo","stream":true,"messages":[{"role":"user","content":"endless"}]}""";
        using (HttpResponseMessage response = await server.PostAsync(endless))
        {
            using Stream stream = await response.Content.ReadAsStreamAsync(Cancelled);
            Assert.NotEqual(0, await stream.ReadAsync(new byte[10], Cancelled));
            using HttpResponseMessage refused = await server.PostAsync(TestServer.Body());
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.Equal("1", refused.Headers.RetryAfter!.ToString());
        }

        // The one place is free as soon as the server sees that the connection has ended.
        HttpStatusCode status = HttpStatusCode.ServiceUnavailable;
        while (status == HttpStatusCode.ServiceUnavailable)
        {
            using HttpResponseMessage again = await server.PostAsync(TestServer.Body());
            status = again.StatusCode;
        }

        Assert.Equal(HttpStatusCode.OK, status);
    }

    [Fact]
    public async Task ManyClientsAtOnceGetTheirOwnAnswers()
    {
        await using TestServer server = await TestServer.StartAsync(engine: new() { MaxConcurrent = 3 });
        string[] answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(async i =>
        {
            string body = $$"""{"model":"echo","messages":[{"role":"user","content":"{{i}}"}]}""";
            return Content((await server.CompleteAsync(body)).GetProperty("choices")[0])!;
        }));
        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"user:{i};"), answers);
    }

    private static JsonElement[] Parse(string[] events)
    {
        Assert.Equal("[DONE]", events[^1]);
        return [.. events[..^1].Select(data => JsonDocument.Parse(data).RootElement)];
    }

    private static IEnumerable<JsonElement> Tokens(JsonElement answer)
    {
        JsonElement logprobs = answer.GetProperty("choices")[0].GetProperty("logprobs");
        return logprobs.ValueKind == JsonValueKind.Object ? logprobs.GetProperty("content").EnumerateArray() : [];
    }

    private static string? Token(JsonElement token) => token.GetProperty("token").GetString();

    private static string? Content(JsonElement choice) =>
        choice.GetProperty("message").GetProperty("content").GetString();

    private static JsonElement Delta(JsonElement chunk) => chunk.GetProperty("choices")[0].GetProperty("delta");

    private static string? Finish(JsonElement chunk) =>
        chunk.GetProperty("choices")[0].GetProperty("finish_reason").GetString();

    private static string Text(JsonElement[] chunks, int index)
    {
        StringBuilder text = new();
        foreach (JsonElement chunk in chunks)
        {
            bool mine = chunk.GetProperty("choices")[0].GetProperty("index").GetInt32() == index;
            bool speaks = Delta(chunk).TryGetProperty("content", out JsonElement content);
            text.Append(mine && speaks ? content.GetString() : "");
        }

        return text.ToString();
    }
}
