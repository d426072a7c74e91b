using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Tessera.Server.Wire;

/// <summary>Writes responses as JSON, whole or as server-sent events.</summary>
internal static class WireWriter
{
    private static ReadOnlySpan<byte> EventStart => "data: "u8;

    private static ReadOnlySpan<byte> EventEnd => "\n\n"u8;

    public static async Task WriteAsync<T>(HttpContext context, T body, JsonTypeInfo<T> type)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(body, type);
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = json.Length;
        await context.Response.BodyWriter.WriteAsync(json, context.RequestAborted).ConfigureAwait(false);
    }

    /// <summary>Says that events follow; no proxy should hold them back.</summary>
    public static void BeginEvents(HttpContext context)
    {
        context.Response.ContentType = "text/event-stream; charset=utf-8";
        context.Response.Headers.CacheControl = "no-cache";
        context.Response.Headers["X-Accel-Buffering"] = "no";
    }

    public static Task WriteEventAsync<T>(HttpContext context, T body, JsonTypeInfo<T> type) =>
        WriteEventAsync(context, JsonSerializer.SerializeToUtf8Bytes(body, type));

    /// <summary>Writes the event that ends a stream.</summary>
    public static Task EndEventsAsync(HttpContext context) => WriteEventAsync(context, "[DONE]"u8.ToArray());

    private static async Task WriteEventAsync(HttpContext context, byte[] json)
    {
        System.IO.Pipelines.PipeWriter writer = context.Response.BodyWriter;
        Span<byte> span = writer.GetSpan(EventStart.Length + json.Length + EventEnd.Length);
        EventStart.CopyTo(span);
        json.CopyTo(span[EventStart.Length..]);
        EventEnd.CopyTo(span[(EventStart.Length + json.Length)..]);
        writer.Advance(EventStart.Length + json.Length + EventEnd.Length);
        await writer.FlushAsync(context.RequestAborted).ConfigureAwait(false);
    }
}
