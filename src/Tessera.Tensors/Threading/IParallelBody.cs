namespace Tessera.Tensors.Threading;

/// <summary>Does one item of a parallel region; implemented by structs, so that the call is direct.</summary>
public interface IParallelBody
{
    /// <summary>Does the item with this index.</summary>
    void Run(int index);
}
