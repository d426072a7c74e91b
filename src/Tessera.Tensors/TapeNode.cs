namespace Tessera.Tensors;

/// <summary>
/// One recorded operation: what its gradient needs, and the gradient. Nodes are reused, so that a step allocates
/// nothing.
/// </summary>
internal abstract class TapeNode
{
    /// <summary>Gets or sets the operation's result.</summary>
    public Tensor Output { get; set; } = null!;

    /// <summary>
    /// Gets whether the result's memory can go back to the scope once this node's backward pass has run.
    /// </summary>
    public virtual bool OutputEndsWithBackward => true;

    /// <summary>Returns a spare node of the type, or a new one.</summary>
    public static T Take<T>()
        where T : TapeNode, new() => Pool<T>.Spare is { Count: > 0 } spare ? spare.Pop() : new T();

    /// <summary>Reads the gradient of <see cref="Output"/> and writes or adds to those of the inputs.</summary>
    public abstract void Backward();

    /// <summary>Gives the node back for reuse.</summary>
    public abstract void Return();

    /// <summary>Puts a node among the spare ones of its type.</summary>
    protected static void Give<T>(T node)
        where T : TapeNode, new()
    {
        node.Output = null!;
        (Pool<T>.Spare ??= new Stack<T>()).Push(node);
    }

    private static class Pool<T>
    {
        [ThreadStatic]
        public static Stack<T>? Spare;
    }
}
