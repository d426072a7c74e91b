namespace Tessera.Models;

/// <summary>Names what a parameter does in a decoder.</summary>
public enum ParameterKind
{
    /// <summary>One vector a token, (V, C); the head's matrix too where embeddings are tied.</summary>
    TokenEmbedding,

    /// <summary>One vector a position, (context, C).</summary>
    PositionEmbedding,

    /// <summary>Weight of the norm before attention, (C).</summary>
    AttentionNorm,

    /// <summary>Bias of the norm before attention, (C).</summary>
    AttentionNormBias,

    /// <summary>Query, key and value projections in one matrix, (3C) outputs.</summary>
    QueryKeyValue,

    /// <summary>Bias of the joint projection, (3C).</summary>
    QueryKeyValueBias,

    /// <summary>Query projection, (H·D, C).</summary>
    Query,

    /// <summary>Bias of the query projection, (H·D).</summary>
    QueryBias,

    /// <summary>Key projection, (K·D, C).</summary>
    Key,

    /// <summary>Bias of the key projection, (K·D).</summary>
    KeyBias,

    /// <summary>Value projection, (K·D, C).</summary>
    Value,

    /// <summary>Bias of the value projection, (K·D).</summary>
    ValueBias,

    /// <summary>Weight of the norm of each head's queries, (D).</summary>
    QueryNorm,

    /// <summary>Weight of the norm of each head's keys, (D).</summary>
    KeyNorm,

    /// <summary>Output projection of attention, (C, H·D).</summary>
    AttentionOutput,

    /// <summary>Bias of the output projection of attention, (C).</summary>
    AttentionOutputBias,

    /// <summary>Weight of the norm before the feed-forward layer, (C).</summary>
    FeedForwardNorm,

    /// <summary>Bias of the norm before the feed-forward layer, (C).</summary>
    FeedForwardNormBias,

    /// <summary>Gate projection, (feed-forward, C), whose output goes through the activation.</summary>
    Gate,

    /// <summary>Bias of the gate projection, (feed-forward).</summary>
    GateBias,

    /// <summary>The projection up, (feed-forward, C); without a gate its output goes through the activation.</summary>
    Up,

    /// <summary>Bias of the projection up, (feed-forward).</summary>
    UpBias,

    /// <summary>The projection down, (C, feed-forward).</summary>
    Down,

    /// <summary>Bias of the projection down, (C).</summary>
    DownBias,

    /// <summary>Weight of the norm before the head, (C).</summary>
    FinalNorm,

    /// <summary>Bias of the norm before the head, (C).</summary>
    FinalNormBias,

    /// <summary>The head's matrix, (V, C), where it isn't the embedding's.</summary>
    Head,
}
