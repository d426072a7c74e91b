namespace Tessera.Models.Gguf;

/// <summary>Knows what GGUF files call a parameter: the same for every family.</summary>
internal static class GgufNames
{
    /// <summary>Returns the name of a parameter's tensor.</summary>
    public static string Of(ParameterSpec spec) => spec.Kind switch
    {
        ParameterKind.TokenEmbedding => "token_embd.weight",
        ParameterKind.PositionEmbedding => "position_embd.weight",
        ParameterKind.FinalNorm => "output_norm.weight",
        ParameterKind.FinalNormBias => "output_norm.bias",
        ParameterKind.Head => "output.weight",
        _ => $"blk.{spec.Layer}.{InLayer(spec.Kind)}",
    };

    private static string InLayer(ParameterKind kind) => kind switch
    {
        ParameterKind.AttentionNorm => "attn_norm.weight",
        ParameterKind.AttentionNormBias => "attn_norm.bias",
        ParameterKind.QueryKeyValue => "attn_qkv.weight",
        ParameterKind.QueryKeyValueBias => "attn_qkv.bias",
        ParameterKind.Query => "attn_q.weight",
        ParameterKind.QueryBias => "attn_q.bias",
        ParameterKind.Key => "attn_k.weight",
        ParameterKind.KeyBias => "attn_k.bias",
        ParameterKind.Value => "attn_v.weight",
        ParameterKind.ValueBias => "attn_v.bias",
        ParameterKind.QueryNorm => "attn_q_norm.weight",
        ParameterKind.KeyNorm => "attn_k_norm.weight",
        ParameterKind.AttentionOutput => "attn_output.weight",
        ParameterKind.AttentionOutputBias => "attn_output.bias",
        ParameterKind.FeedForwardNorm => "ffn_norm.weight",
        ParameterKind.FeedForwardNormBias => "ffn_norm.bias",
        ParameterKind.Gate => "ffn_gate.weight",
        ParameterKind.GateBias => "ffn_gate.bias",
        ParameterKind.Up => "ffn_up.weight",
        ParameterKind.UpBias => "ffn_up.bias",
        ParameterKind.Down => "ffn_down.weight",
        ParameterKind.DownBias => "ffn_down.bias",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "GGUF has no name for it"),
    };
}
