namespace Tessera.Inference;

/// <summary>Says that as many requests wait as may; the same request can be sent again later.</summary>
public sealed class EngineBusyException : InvalidOperationException
{
    /// <summary>Makes the error from the limit that was reached.</summary>
    public EngineBusyException(int maxWaiting)
        : base($"Generate: {maxWaiting} requests wait already; try again later")
    {
    }
}
