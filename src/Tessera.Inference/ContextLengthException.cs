namespace Tessera.Inference;

/// <summary>Says that a prompt leaves no room for an answer in the model's context.</summary>
public sealed class ContextLengthException : ArgumentException
{
    /// <summary>Makes the error from both numbers of tokens.</summary>
    public ContextLengthException(int promptTokens, int contextLength)
        : base($"Generate: the prompt has {promptTokens} tokens, and the context of {contextLength} needs room for at "
            + "least one more; shorten the prompt")
    {
        PromptTokens = promptTokens;
        ContextLength = contextLength;
    }

    /// <summary>Gets the number of tokens that came.</summary>
    public int PromptTokens { get; }

    /// <summary>Gets the number of tokens that prompt and answer may have together.</summary>
    public int ContextLength { get; }
}
