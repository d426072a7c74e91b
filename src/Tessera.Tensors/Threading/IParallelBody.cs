namespace Tessera.Tensors.Threading;

/// <summary>Does one item of a parallel region; implemented by structs, so that the call is direct.</summary>
public interface IParallelBody
{
    /// <summary>
    /// Does the item with this index. Marked not to be inlined, and where it works on vectors to be compiled alone
    /// (<see cref="Kernels.Compiled.Alone"/>): within the small method that calls it the compiler would soon refuse to
    /// inline what it calls itself.
    /// </summary>
    void Run(int index);
}
