using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;
using Tessera.Inference;
using Tessera.Server.Wire;

namespace Tessera.Server;

/// <summary>Writes the answers to one request, whole or as they come.</summary>
internal sealed class CompletionWriter(
    HttpContext context, ChatModel model, ChatRequest request, Generation[] choices, DateTimeOffset now)
{
    private readonly string _id = $"chatcmpl-{RandomNumberGenerator.GetHexString(29, lowercase: true)}";
    private readonly string _fingerprint = Fingerprint(model);

    public async Task WriteAsync()
    {
        GenerationPiece[] answers = await Task.WhenAll(
            choices.Select(choice => choice.ReadToEndAsync(context.RequestAborted))).ConfigureAwait(false);
        ChatChoice[] written = [.. answers.Select((answer, i) => new ChatChoice(
            i, new ChatMessage("assistant", answer.Text, null), Logprobs(answer), Reason(choices[i])))];
        ChatCompletion completion = new(
            _id, "chat.completion", now.ToUnixTimeSeconds(), model.Name, written, Usage(), _fingerprint);
        await WireWriter.WriteAsync(context, completion, WireJson.Relaxed.ChatCompletion).ConfigureAwait(false);
    }

    public async Task StreamAsync()
    {
        bool[] begun = new bool[choices.Length];
        WireWriter.BeginEvents(context);
        await foreach ((int i, GenerationPiece? piece) in PiecesAsync().ConfigureAwait(false))
        {
            if (!begun[i])
            {
                begun[i] = true;
                await SendAsync(new ChunkChoice(i, new ChunkDelta("assistant", ""), null, null)).ConfigureAwait(false);
            }

            await SendAsync(piece is null
                ? new ChunkChoice(i, new ChunkDelta(), null, Reason(choices[i]))
                : new ChunkChoice(i, new ChunkDelta(Content: piece.Text), Logprobs(piece), null)).ConfigureAwait(false);
        }

        if (request.IncludeUsage)
        {
            await SendAsync([], Usage()).ConfigureAwait(false);
        }

        await WireWriter.EndEventsAsync(context).ConfigureAwait(false);
    }

    /// <summary>Returns the pieces of all choices as they come, and null for each at its end.</summary>
    private async IAsyncEnumerable<(int Choice, GenerationPiece? Piece)> PiecesAsync()
    {
        Channel<(int, GenerationPiece?)> merged = Channel.CreateBounded<(int, GenerationPiece?)>(choices.Length);
        Task all = Task.WhenAll(choices.Select((choice, i) => ForwardAsync(choice, i, merged.Writer)));
        _ = all.ContinueWith(
            done => merged.Writer.Complete(done.Exception?.InnerException), TaskScheduler.Default);
        await foreach ((int, GenerationPiece?) piece in merged.Reader.ReadAllAsync(context.RequestAborted)
            .ConfigureAwait(false))
        {
            yield return piece;
        }

        await all.ConfigureAwait(false);
    }

    private async Task ForwardAsync(Generation choice, int i, ChannelWriter<(int, GenerationPiece?)> to)
    {
        await foreach (GenerationPiece piece in choice.ReadAsync(context.RequestAborted).ConfigureAwait(false))
        {
            await to.WriteAsync((i, piece), context.RequestAborted).ConfigureAwait(false);
        }

        await to.WriteAsync((i, null), context.RequestAborted).ConfigureAwait(false);
    }

    private Task SendAsync(ChunkChoice choice) => SendAsync([choice], null);

    private Task SendAsync(ChunkChoice[] chunk, Usage? usage)
    {
        const string Kind = "chat.completion.chunk";
        long created = now.ToUnixTimeSeconds();
        return request.IncludeUsage
            ? WireWriter.WriteEventAsync(
                context,
                new ChatChunkWithUsage(_id, Kind, created, model.Name, chunk, _fingerprint, usage),
                WireJson.Relaxed.ChatChunkWithUsage)
            : WireWriter.WriteEventAsync(
                context,
                new ChatChunk(_id, Kind, created, model.Name, chunk, _fingerprint),
                WireJson.Relaxed.ChatChunk);
    }

    // The prompt is counted once, however many answers it gets.
    private Usage Usage()
    {
        int completion = choices.Sum(choice => choice.CompletionTokens);
        return new Usage(choices[0].PromptTokens, completion, choices[0].PromptTokens + completion);
    }

    private ChoiceLogprobs? Logprobs(GenerationPiece piece) => request.TopLogprobs is null
        ? null
        : new ChoiceLogprobs(
            [.. piece.Tokens.Select(token => new TokenLogprob(
                Text(token.Id), Finite(token.LogProbability), Bytes(token.Id),
                [.. token.Top.Select(top => new TopLogprob(
                    Text(top.Token), Finite(top.LogProbability), Bytes(top.Token)))]))],
            null);

    private string Text(int token) => Encoding.UTF8.GetString(model.Tokenizer.TokenBytes(token));

    private int[] Bytes(int token) =>
        Array.ConvertAll(model.Tokenizer.TokenBytes(token).ToArray(), value => (int)value);

    // JSON has no infinity: this is what OpenAI writes for a token that is very unlikely.
    private static double Finite(double logProbability) => double.IsFinite(logProbability) ? logProbability : -9999;

    private static string Reason(Generation choice) => choice.FinishReason == FinishReason.Length ? "length" : "stop";

    /// <summary>
    /// Names the model and the program that answered: with the same one, a seed gives the same answer.
    /// </summary>
    private static string Fingerprint(ChatModel model)
    {
        string version = typeof(TesseraServer).Assembly.GetName().Version!.ToString();
        string what = $"{version}|{model.Name}|{model.Created:O}|{model.Tokenizer.Fingerprint}";
        return $"fp_{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(what)))[..10]}";
    }
}
