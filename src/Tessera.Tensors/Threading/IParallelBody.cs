namespace Tessera.Tensors.Threading;

/// <summary>Does one item of a parallel region; implemented by structs, so that the call is direct.</summary>
public interface IParallelBody
{
    /// <summary>
    /// Does the item with this index. Marked not to be inlined: within the small method that calls it the compiler
    /// would soon refuse to inline what it calls itself, and vectors would pass through memory.
    /// </summary>
    void Run(int index);
}
