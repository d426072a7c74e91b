namespace Tessera.Inference;

/// <summary>Says why an answer ended.</summary>
public enum FinishReason
{
    /// <summary>The model ended it, or one of the request's stops did.</summary>
    Stop,

    /// <summary>It has as many tokens as were asked for, or fills the context.</summary>
    Length,
}
