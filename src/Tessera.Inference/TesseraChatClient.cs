using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using Tessera.Inference.Sampling;
using Tessera.Models.ChatTemplates;

namespace Tessera.Inference;

/// <summary>Offers a model as an <see cref="IChatClient"/>; it doesn't own the model.</summary>
public sealed class TesseraChatClient(ChatModel model) : IChatClient
{
    private readonly ChatClientMetadata _metadata = new("tessera", providerUri: null, model.Name);

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">The options ask for tools or for JSON.</exception>
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        using Generation generation = model.Engine.Generate(ToRequest(messages, options));
        GenerationPiece answer = await generation.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
        return new ChatResponse(new ChatMessage(ChatRole.Assistant, answer.Text))
        {
            ModelId = model.Name,
            FinishReason = Reason(generation),
            Usage = Usage(generation),
        };
    }

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">The options ask for tools or for JSON.</exception>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using Generation generation = model.Engine.Generate(ToRequest(messages, options));
        await foreach (GenerationPiece piece in generation.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            yield return new ChatResponseUpdate(ChatRole.Assistant, piece.Text) { ModelId = model.Name };
        }

        yield return new ChatResponseUpdate(ChatRole.Assistant, [new UsageContent(Usage(generation))])
        {
            ModelId = model.Name,
            FinishReason = Reason(generation),
        };
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        object?[] services = serviceKey is null ? [this, _metadata, model] : [];
        return services.FirstOrDefault(serviceType.IsInstanceOfType);
    }

    /// <summary>Does nothing: the model belongs to whoever loaded it.</summary>
    public void Dispose()
    {
    }

    private static ChatFinishReason? Reason(Generation generation) => generation.FinishReason switch
    {
        FinishReason.Stop => ChatFinishReason.Stop,
        FinishReason.Length => ChatFinishReason.Length,
        _ => null,
    };

    private static UsageDetails Usage(Generation generation) => new()
    {
        InputTokenCount = generation.PromptTokens,
        OutputTokenCount = generation.CompletionTokens,
        TotalTokenCount = generation.PromptTokens + generation.CompletionTokens,
    };

    private static SamplingOptions ToSampling(SamplingOptions defaults, ChatOptions options) => defaults with
    {
        Temperature = options.Temperature ?? defaults.Temperature,
        TopP = options.TopP ?? defaults.TopP,
        TopK = options.TopK ?? defaults.TopK,
        FrequencyPenalty = options.FrequencyPenalty ?? defaults.FrequencyPenalty,
        PresencePenalty = options.PresencePenalty ?? defaults.PresencePenalty,
        Seed = options.Seed is { } seed ? (ulong)seed : defaults.Seed,
    };

    private GenerationRequest ToRequest(IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        ArgumentNullException.ThrowIfNull(messages);
        if (options?.Tools is { Count: > 0 } || options?.ResponseFormat is ChatResponseFormatJson)
        {
            throw new NotSupportedException("Chat: tools and JSON answers aren't offered by this client");
        }

        List<ChatTurn> turns = [];
        if (options?.Instructions is { } instructions)
        {
            turns.Add(new ChatTurn(ChatRole.System.Value, instructions));
        }

        turns.AddRange(messages.Select(message => new ChatTurn(message.Role.Value, message.Text)));
        GenerationRequest request = model.Ask(turns);
        return options is null ? request : request with
        {
            Sampling = ToSampling(request.Sampling, options),
            MaxTokens = options.MaxOutputTokens,
            StopStrings = options.StopSequences is { } stops ? [.. stops] : [],
        };
    }
}
