using System.Text.Json.Serialization;

namespace Tessera.Server.Wire;

internal sealed record ErrorBody(ErrorDetail Error);

internal sealed record ErrorDetail(string Message, string Type, string? Param, string? Code);

internal sealed record ModelList(string Object, ModelEntry[] Data);

internal sealed record ModelEntry(string Id, string Object, long Created, string OwnedBy);

internal sealed record Health(string Status);

internal sealed record ChatCompletion(
    string Id, string Object, long Created, string Model, ChatChoice[] Choices, Usage Usage, string SystemFingerprint);

internal sealed record ChatChoice(int Index, ChatMessage Message, ChoiceLogprobs? Logprobs, string FinishReason);

internal sealed record ChatMessage(string Role, string? Content, string? Refusal);

internal sealed record Usage(int PromptTokens, int CompletionTokens, int TotalTokens);

internal sealed record ChoiceLogprobs(TokenLogprob[] Content, TokenLogprob[]? Refusal);

internal sealed record TokenLogprob(string Token, double Logprob, int[] Bytes, TopLogprob[] TopLogprobs);

internal sealed record TopLogprob(string Token, double Logprob, int[] Bytes);

internal record ChatChunk(
    string Id, string Object, long Created, string Model, ChunkChoice[] Choices, string SystemFingerprint);

/// <summary>Is a chunk for a client that asked for usage: null on all but the last.</summary>
internal sealed record ChatChunkWithUsage(
    string Id, string Object, long Created, string Model, ChunkChoice[] Choices, string SystemFingerprint, Usage? Usage)
    : ChatChunk(Id, Object, Created, Model, Choices, SystemFingerprint);

internal sealed record ChunkChoice(int Index, ChunkDelta Delta, ChoiceLogprobs? Logprobs, string? FinishReason);

internal sealed record ChunkDelta(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Role = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Content = null);
