using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Tessera.Inference;
using Tessera.Inference.Tests.Fakes;
using Xunit;

namespace Tessera.Server.Tests;

/// <summary>Is a server on a free port of this machine with the echoing model, and a client of it.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly ChatModel _model;
    private readonly TesseraServer _server;

    private TestServer(ChatModel model, TesseraServer server, StringWriter log)
    {
        (_model, _server, Log) = (model, server, log);
        Client = new HttpClient { BaseAddress = server.Address };
    }

    public HttpClient Client { get; }

    public StringWriter Log { get; }

    public Uri Address => _server.Address;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static async Task<TestServer> StartAsync(
        ServerOptions? options = null, int contextLength = 256, EngineOptions? engine = null)
    {
        ChatModel model = EchoChat.Create(contextLength, engine);
        StringWriter log = new();
        TesseraServer server = await TesseraServer.StartAsync(model, (options ?? new()) with { Port = 0 }, log);
        return new TestServer(model, server, log);
    }

    /// <summary>
    /// Returns a request's body: one message that says hi, with other fields beside or in place of its own.
    /// </summary>
    public static string Body(string fields = "") =>
        $$"""{"messages":[{"role":"user","content":"hi"}]{{(fields == "" ? "" : ",")}}{{fields}},"model":"echo"}""";

    public Task<HttpResponseMessage> PostAsync(string body) => PostAsync(Encoding.UTF8.GetBytes(body));

    public Task<HttpResponseMessage> PostAsync(byte[] body)
    {
        HttpRequestMessage request = new(HttpMethod.Post, "/v1/chat/completions");
        request.Content = new ByteArrayContent(body);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancelled);
    }

    public async Task<JsonElement> CompleteAsync(string body)
    {
        using HttpResponseMessage response = await PostAsync(body);
        string text = await response.Content.ReadAsStringAsync(Cancelled);
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement;
    }

    /// <summary>Returns the data of a stream's events; the last is [DONE].</summary>
    public async Task<string[]> StreamAsync(string body)
    {
        using HttpResponseMessage response = await PostAsync(body);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        string text = await response.Content.ReadAsStringAsync(Cancelled);
        Assert.EndsWith("\n\n", text);
        return [.. text[..^2].Split("\n\n").Select(line => line.StartsWith("data: ") ? line[6..] : $"no data: {line}")];
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _server.DisposeAsync();
        _model.Dispose();
    }
}
