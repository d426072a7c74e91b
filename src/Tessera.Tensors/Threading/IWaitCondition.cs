namespace Tessera.Tensors.Threading;

/// <summary>Says whether what a thread waits for has come.</summary>
internal interface IWaitCondition
{
    bool IsMet { get; }
}
