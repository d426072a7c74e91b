using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Xunit;

namespace Tessera.Server.Tests;

public sealed class ErrorTests(SharedServer shared) : IClassFixture<SharedServer>
{
    private readonly OpenApiDocument _document = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static TheoryData<string, string?> Fields => new()
    {
        { "\"temperature\":\"hot\"", "temperature" },
        { "\"temperature\":2.1", "temperature" },
        { "\"temperature\":-0.1", "temperature" },
        { "\"temperature\":1e999", "temperature" },
        { "\"top_p\":1.5", "top_p" },
        { "\"top_p\":[]", "top_p" },
        { "\"presence_penalty\":-3", "presence_penalty" },
        { "\"frequency_penalty\":2.5", "frequency_penalty" },
        { "\"repetition_penalty\":0", "repetition_penalty" },
        { "\"min_p\":2", "min_p" },
        { "\"top_k\":-1", "top_k" },
        { "\"n\":0", "n" },
        { "\"n\":129", "n" },
        { "\"n\":1.5", "n" },
        { "\"max_tokens\":0", "max_tokens" },
        { "\"max_tokens\":\"5\"", "max_tokens" },
        { "\"max_completion_tokens\":-1", "max_completion_tokens" },
        { "\"max_tokens\":5,\"max_completion_tokens\":5", "max_tokens" },
        { "\"stop\":5", "stop" },
        { "\"stop\":[]", "stop" },
        { "\"stop\":\"\"", "stop" },
        { "\"stop\":[\"a\",\"b\",\"c\",\"d\",\"e\"]", "stop" },
        { "\"stop\":[\"a\",null]", "stop[1]" },
        { "\"stop\":\"\\ud800\"", "stop" },
        { "\"seed\":1e30", "seed" },
        { "\"seed\":\"x\"", "seed" },
        { "\"logit_bias\":[]", "logit_bias" },
        { "\"logit_bias\":{\"x\":1}", "logit_bias" },
        { "\"logit_bias\":{\"99999\":1}", "logit_bias" },
        { "\"logit_bias\":{\"+5\":1}", "logit_bias" },
        { "\"logit_bias\":{\"1\":101}", "logit_bias.1" },
        { "\"logprobs\":1", "logprobs" },
        { "\"top_logprobs\":2", "top_logprobs" },
        { "\"logprobs\":true,\"top_logprobs\":21", "top_logprobs" },
        { "\"stream\":\"yes\"", "stream" },
        { "\"stream_options\":{\"include_usage\":true}", "stream_options" },
        { "\"stream\":true,\"stream_options\":{\"usage\":true}", "stream_options.usage" },
        { "\"stream\":true,\"stream_options\":5", "stream_options" },
        { "\"tools\":[{}]", "tools" },
        { "\"functions\":[{}]", "functions" },
        { "\"tool_choice\":\"required\"", "tool_choice" },
        { "\"response_format\":{\"type\":\"json_object\"}", "response_format.type" },
        { "\"response_format\":{}", "response_format.type" },
        { "\"modalities\":[\"audio\"]", "modalities" },
        { "\"audio\":{}", "audio" },
        { "\"temprature\":1", "temprature" },
    };

    public static TheoryData<string, string?> Bodies => new()
    {
        { "", null },
        { "{", null },
        { "[]", null },
        { "5", null },
        { "{\"model\":\"echo\",}", null },
        { "{\"model\":\"echo\",\"model\":\"echo\"}", null },
        { "{}", "model" },
        { "{\"\\ud800\":1}", null },
        { "{\"model\":5}", "model" },
        { "{\"model\":\"echo\"}", "messages" },
        { "{\"model\":\"echo\",\"messages\":{}}", "messages" },
        { "{\"model\":\"echo\",\"messages\":[]}", "messages" },
        { Message("5"), "messages[0]" },
        { Message("{}"), "messages[0].role" },
        { Message("{\"role\":\"robot\",\"content\":\"\"}"), "messages[0].role" },
        { Message("{\"role\":\"tool\",\"content\":\"\",\"tool_call_id\":\"1\"}"), "messages[0].role" },
        { Message("{\"role\":\"user\"}"), "messages[0].content" },
        { Message("{\"role\":\"user\",\"content\":null}"), "messages[0].content" },
        { Message("{\"role\":\"assistant\"}"), "messages[0].content" },
        { Message("{\"role\":\"user\",\"content\":5}"), "messages[0].content" },
        { Message("{\"role\":\"user\",\"content\":[]}"), "messages[0].content" },
        { Message("{\"role\":\"user\",\"content\":[5]}"), "messages[0].content[0]" },
        { Message("{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}"), "messages[0].content[0].text" },
        { Message("{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}"), "messages[0].content[0].type" },
        { Message("{\"role\":\"user\",\"content\":\"\\udc00\"}"), "messages[0].content" },
        { Message("{\"role\":\"user\",\"content\":\"\",\"mood\":1}"), "messages[0].mood" },
        { Message("{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[]}"), "messages[0].tool_calls" },
        { "{\"model\":\"echo\",\"messages\":" + new string('[', 500), null },
    };

    [Theory]
    [MemberData(nameof(Fields))]
    public Task AWrongFieldIsNamed(string field, string? param) => AssertRefusedAsync(TestServer.Body(field), param);

    [Theory]
    [MemberData(nameof(Bodies))]
    public Task AWrongBodyIsRefused(string body, string? param) => AssertRefusedAsync(body, param);

    [Fact]
    public async Task BytesThatAreNoTextAreRefused()
    {
        await using TestServer server = await TestServer.StartAsync();
        byte[] body = Encoding.UTF8.GetBytes(TestServer.Body());
        body[^3] = 0xff;
        using HttpResponseMessage response = await server.PostAsync(body);
        await AssertErrorAsync(response, HttpStatusCode.BadRequest, null, null);
    }

    [Fact]
    public async Task APromptOverTheContextIsRefusedWithBothNumbers()
    {
        await using TestServer server = await TestServer.StartAsync(contextLength: 20);
        using HttpResponseMessage response = await server.PostAsync(
            """{"model":"echo","messages":[{"role":"user","content":"twenty characters ok"}]}""");
        string message = await AssertErrorAsync(
            response, HttpStatusCode.BadRequest, "messages", "context_length_exceeded");
        Assert.Equal(
            "This model's maximum context length is 20 tokens. However, your messages resulted in 27 tokens. "
            + "Please reduce the length of the messages.",
            message);
    }

    [Fact]
    public async Task AConversationThatTheTemplateRefusesIsRefused()
    {
        using HttpResponseMessage response = await shared.Server.PostAsync(
            TestServer.Body().Replace("\"hi\"", "\"refused\""));
        string message = await AssertErrorAsync(response, HttpStatusCode.BadRequest, "messages", null);
        Assert.EndsWith(": no", message);
    }

    [Fact]
    public async Task OtherModelsRoutesAndMethodsAreUnknown()
    {
        await using TestServer server = await TestServer.StartAsync();
        using HttpResponseMessage model = await server.PostAsync(TestServer.Body().Replace("\"echo\"", "\"gpt-4\""));
        Assert.Equal(
            "The model `gpt-4` does not exist or you do not have access to it.",
            await AssertErrorAsync(model, HttpStatusCode.NotFound, null, "model_not_found"));
        using HttpResponseMessage entry = await server.Client.GetAsync("/v1/models/gpt-4", Cancelled);
        await AssertErrorAsync(entry, HttpStatusCode.NotFound, null, "model_not_found");
        using HttpResponseMessage route = await server.Client.GetAsync("/v1/completion", Cancelled);
        await AssertErrorAsync(route, HttpStatusCode.NotFound, null, "unknown_url");
        using HttpResponseMessage method = await server.Client.GetAsync("/v1/chat/completions", Cancelled);
        await AssertErrorAsync(method, HttpStatusCode.MethodNotAllowed, null, "method_not_supported");
        Assert.Equal(["POST"], method.Content.Headers.Allow);
    }

    [Fact]
    public async Task ARequestOverTheLimitIsRefused()
    {
        await using TestServer server = await TestServer.StartAsync(new() { MaxRequestBytes = 1000 });
        string large = $"\"user\":\"{new string('x', 1000)}\"";
        using HttpResponseMessage response = await server.PostAsync(TestServer.Body(large));
        await AssertErrorAsync(response, HttpStatusCode.RequestEntityTooLarge, null, "request_too_large");
    }

    [Fact]
    public async Task OnlyTheKeyLetsIn()
    {
        await using TestServer server = await TestServer.StartAsync(new() { ApiKey = "sk-secret-0123456789" });
        using HttpResponseMessage health = await server.Client.GetAsync("/health", Cancelled);
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        using HttpResponseMessage without = await server.Client.GetAsync("/v1/models", Cancelled);
        await AssertErrorAsync(without, HttpStatusCode.Unauthorized, null, null);

        HttpRequestHeaders headers = server.Client.DefaultRequestHeaders;
        headers.Authorization = new AuthenticationHeaderValue("Bearer", "sk-secret-012345678x");
        using HttpResponseMessage wrong = await server.PostAsync(TestServer.Body());
        string message = await AssertErrorAsync(wrong, HttpStatusCode.Unauthorized, null, "invalid_api_key");
        Assert.Contains("sk-***678x", message);
        Assert.DoesNotContain("secret", message);

        headers.Authorization = new AuthenticationHeaderValue("Bearer", "sk-secret-0123456789");
        using HttpResponseMessage right = await server.PostAsync(TestServer.Body());
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);
    }

    [Fact]
    public async Task ModelsAndHealthAnswer()
    {
        await using TestServer server = await TestServer.StartAsync();
        using JsonDocument list = JsonDocument.Parse(await server.Client.GetStringAsync("/v1/models", Cancelled));
        _document.AssertIs("ListModelsResponse", list.RootElement);
        Assert.Equal("echo", list.RootElement.GetProperty("data")[0].GetProperty("id").GetString());
        using JsonDocument entry = JsonDocument.Parse(await server.Client.GetStringAsync("/v1/models/echo", Cancelled));
        _document.AssertIs("Model", entry.RootElement);
        Assert.Equal("{\"status\":\"ok\"}", await server.Client.GetStringAsync("/health", Cancelled));
        Assert.Contains("GET /v1/models/echo 200", server.Log.ToString());
    }

    [Fact]
    public async Task EveryAnswerCarriesAnIdAndItsTime()
    {
        await using TestServer server = await TestServer.StartAsync();
        using HttpResponseMessage good = await server.PostAsync(TestServer.Body());
        using HttpResponseMessage bad = await server.PostAsync("{");
        Assert.All(new[] { good, bad }, response =>
        {
            Assert.StartsWith("req_", response.Headers.GetValues("x-request-id").Single());
            Assert.True(int.TryParse(response.Headers.GetValues("openai-processing-ms").Single(), out _));
        });
    }

    [Fact]
    public void OptionsOutOfRangeAreRefused()
    {
        Assert.Throws<ArgumentException>(() => new ServerOptions { Host = "nowhere.example" });
        Assert.Throws<ArgumentOutOfRangeException>(() => new ServerOptions { Port = 70000 });
        Assert.Throws<ArgumentException>(() => new ServerOptions { ApiKey = "" });
    }

    private static string Message(string message) => $$"""{"model":"echo","messages":[{{message}}]}""";

    private async Task AssertRefusedAsync(string body, string? param)
    {
        using HttpResponseMessage response = await shared.Server.PostAsync(body);
        string message = await AssertErrorAsync(response, HttpStatusCode.BadRequest, param, null);

        // Whoever reads the text alone finds the field too.
        Assert.Contains(param ?? "", message);
    }

    private async Task<string> AssertErrorAsync(
        HttpResponseMessage response, HttpStatusCode status, string? param, string? code)
    {
        string text = await response.Content.ReadAsStringAsync(Cancelled);
        Assert.True(status == response.StatusCode, $"{response.StatusCode}: {text}");
        using JsonDocument body = JsonDocument.Parse(text);
        _document.AssertIs("ErrorResponse", body.RootElement);
        JsonElement error = body.RootElement.GetProperty("error");
        Assert.Equal(param, error.GetProperty("param").GetString());
        Assert.Equal(code ?? error.GetProperty("code").GetString(), error.GetProperty("code").GetString());
        return error.GetProperty("message").GetString()!;
    }
}
