using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Tessera.Inference;
using Tessera.Models.ChatTemplates;
using Tessera.Models.Tokenizers;
using Tessera.Server.Wire;

namespace Tessera.Server;

/// <summary>Answers POST /v1/chat/completions.</summary>
internal sealed class ChatCompletions(ChatModel model, ServerOptions options, TimeProvider time)
{
    public async Task HandleAsync(HttpContext context)
    {
        ReadOnlyMemory<byte> body = await ReadBodyAsync(context).ConfigureAwait(false);
        ChatRequest request = ChatRequestReader.Read(
            body, model.Sampling, model.Engine.VocabularySize, options.MaxChoices);
        if (request.Model != model.Name)
        {
            throw ApiError.NoModel(request.Model);
        }

        Generation[] choices = Begin(request);
        try
        {
            CompletionWriter writer = new(context, model, request, choices, time.GetUtcNow());
            await (request.Stream ? writer.StreamAsync() : writer.WriteAsync()).ConfigureAwait(false);
        }
        finally
        {
            // Whatever happened, a client that has gone or an error in one choice: the engine has nothing left to do
            // here.
            foreach (Generation choice in choices)
            {
                choice.Dispose();
            }
        }
    }

    private Generation[] Begin(ChatRequest request)
    {
        List<Generation> choices = [];
        try
        {
            GenerationRequest ask = Ask(request);
            for (int i = 0; i < request.Choices; i++)
            {
                choices.Add(model.Engine.Generate(ask with { Answer = i }));
            }

            return [.. choices];
        }
        catch (Exception error)
        {
            choices.ForEach(choice => choice.Dispose());
            throw error is ContextLengthException full
                ? ApiError.ContextLength(full.PromptTokens, full.ContextLength)
                : error;
        }
    }

    private GenerationRequest Ask(ChatRequest request)
    {
        GenerationRequest ask;
        try
        {
            ask = model.Ask(request.Messages);
        }
        catch (ChatTemplateException refused)
        {
            throw ApiError.Invalid("messages", $"The model's chat template refuses the messages: {refused.Problem}");
        }
        catch (UnencodableTextException unknown)
        {
            throw ApiError.Invalid("messages", $"The model has no token for a character: {unknown.Message}");
        }

        ulong seed = request.HasSeed
            ? request.Sampling.Seed
            : BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        return ask with
        {
            Sampling = request.Sampling with { Seed = seed },
            MaxTokens = request.MaxTokens,
            StopStrings = request.Stop,
            TopLogProbabilities = request.TopLogprobs,
        };
    }

    private static async Task<ReadOnlyMemory<byte>> ReadBodyAsync(HttpContext context)
    {
        // The server has a limit on the body's size, whatever length a client claims.
        PipeReader reader = context.Request.BodyReader;
        while (true)
        {
            ReadResult result = await reader.ReadAsync(context.RequestAborted).ConfigureAwait(false);
            if (result.IsCompleted)
            {
                byte[] body = result.Buffer.ToArray();
                reader.AdvanceTo(result.Buffer.End);
                return body;
            }

            reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }
}
