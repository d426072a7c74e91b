using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Tessera.Inference;
using Tessera.Server.Wire;

namespace Tessera.Server;

/// <summary>Leads each request to what answers it, and turns every failure into an error of OpenAI's shape.</summary>
internal sealed class RequestHandler(ChatModel model, ServerOptions options, TextWriter log, TimeProvider time)
{
    private const string ModelsPath = "/v1/models";

    private readonly ChatCompletions _completions = new(model, options, time);
    private readonly ApiKey? _key = options.ApiKey is { } key ? new ApiKey(key) : null;

    public async Task HandleAsync(HttpContext context)
    {
        long started = time.GetTimestamp();
        context.Response.Headers["x-request-id"] = $"req_{RandomNumberGenerator.GetHexString(32, lowercase: true)}";
        context.Response.Headers["openai-version"] = "2020-10-01";
        context.Response.OnStarting(() =>
        {
            context.Response.Headers["openai-processing-ms"] = $"{time.GetElapsedTime(started).TotalMilliseconds:F0}";
            return Task.CompletedTask;
        });
        try
        {
            await RouteAsync(context).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to be told.
        }
        catch (Exception error)
        {
            await AnswerErrorAsync(context, error).ConfigureAwait(false);
        }

        double milliseconds = time.GetElapsedTime(started).TotalMilliseconds;
        string path = context.Request.Path.ToUriComponent();
        log.WriteLine($"{context.Request.Method} {path} {context.Response.StatusCode} {milliseconds:F0} ms");
    }

    private Task RouteAsync(HttpContext context)
    {
        string path = context.Request.Path.Value ?? "";
        if (path == "/health")
        {
            Require(context, HttpMethods.Get);
            return WireWriter.WriteAsync(context, new Health("ok"), WireJson.Relaxed.Health);
        }

        _key?.Check(context.Request);
        if (path == "/v1/chat/completions")
        {
            Require(context, HttpMethods.Post);
            return _completions.HandleAsync(context);
        }

        if (path == ModelsPath || path.StartsWith(ModelsPath + "/", StringComparison.Ordinal))
        {
            Require(context, HttpMethods.Get);
            return AnswerModelsAsync(context, path);
        }

        throw ApiError.NoRoute(context.Request.Method, context.Request.Path.ToUriComponent());
    }

    private Task AnswerModelsAsync(HttpContext context, string path)
    {
        ModelEntry entry = new(model.Name, "model", model.Created.ToUnixTimeSeconds(), "tessera");
        if (path == ModelsPath)
        {
            return WireWriter.WriteAsync(context, new ModelList("list", [entry]), WireJson.Relaxed.ModelList);
        }

        string id = path[(ModelsPath.Length + 1)..];
        return id == model.Name
            ? WireWriter.WriteAsync(context, entry, WireJson.Relaxed.ModelEntry)
            : throw ApiError.NoModel(id);
    }

    private async Task AnswerErrorAsync(HttpContext context, Exception error)
    {
        ApiError answer = error switch
        {
            ApiError known => known,
            BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } =>
                ApiError.TooLarge(options.MaxRequestBytes),
            BadHttpRequestException bad => ApiError.Invalid(null, bad.Message),
            EngineBusyException => ApiError.Busy(),
            _ => ApiError.Failed(),
        };
        if (answer.Status == StatusCodes.Status500InternalServerError)
        {
            log.WriteLine(error);
        }

        if (context.Response.HasStarted)
        {
            await WireWriter.WriteEventAsync(context, answer.Body, WireJson.Relaxed.ErrorBody).ConfigureAwait(false);
            return;
        }

        context.Response.StatusCode = answer.Status;
        if (answer.Status == StatusCodes.Status503ServiceUnavailable)
        {
            context.Response.Headers.RetryAfter = "1";
        }

        await WireWriter.WriteAsync(context, answer.Body, WireJson.Relaxed.ErrorBody).ConfigureAwait(false);
    }

    private static void Require(HttpContext context, string method)
    {
        if (context.Request.Method != method)
        {
            context.Response.Headers.Allow = method;
            throw ApiError.WrongMethod(context.Request.Method, context.Request.Path.ToUriComponent());
        }
    }
}
