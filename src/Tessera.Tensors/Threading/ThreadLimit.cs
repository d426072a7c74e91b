namespace Tessera.Tensors.Threading;

/// <summary>
/// Restores the calling thread's former limit on threads when disposed; made by <see cref="Workers.Limit"/>.
/// </summary>
public readonly struct ThreadLimit : IDisposable
{
    private readonly int _former;

    internal ThreadLimit(int former) => _former = former;

    /// <summary>Restores the former limit.</summary>
    public void Dispose() => Workers.RestoreLimit(_former);
}
