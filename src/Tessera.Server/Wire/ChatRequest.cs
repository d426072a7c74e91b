using Tessera.Inference.Sampling;
using Tessera.Models.ChatTemplates;

namespace Tessera.Server.Wire;

/// <summary>Is a request for a chat completion, checked.</summary>
internal sealed record ChatRequest
{
    public required string Model { get; init; }

    public required IReadOnlyList<ChatTurn> Messages { get; init; }

    /// <summary>Gets the model's own options with what the request changes.</summary>
    public required SamplingOptions Sampling { get; init; }

    public required bool HasSeed { get; init; }

    public required int? MaxTokens { get; init; }

    public required IReadOnlyList<string> Stop { get; init; }

    public required int Choices { get; init; }

    public required int? TopLogprobs { get; init; }

    public required bool Stream { get; init; }

    public required bool IncludeUsage { get; init; }
}
