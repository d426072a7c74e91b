namespace Tessera.Tensors;

/// <summary>
/// Remembers the operations of a forward pass so that the backward pass can run them in reverse. Operations record
/// themselves only while a tape runs on their thread, so inference pays nothing.
/// </summary>
/// <remarks>
/// Each operation is coarse and has a hand-written gradient (a <see cref="TapeNode"/>). Activations and their gradients
/// are given back to the scope as the backward pass leaves them: read what you want to keep before the backward pass.
/// </remarks>
public sealed class Tape : IDisposable
{
    [ThreadStatic]
    private static Tape? _current;

    [ThreadStatic]
    private static Tape? _spare;

    private readonly List<TapeNode> _nodes = [];

    private Tape()
    {
    }

    /// <summary>Gets whether a tape runs on this thread.</summary>
    public static bool Running => _current is not null;

    /// <summary>Starts recording on this thread.</summary>
    /// <exception cref="InvalidOperationException">A tape runs already.</exception>
    public static Tape Start()
    {
        if (_current is not null)
        {
            throw new InvalidOperationException("Tape: one runs on this thread already");
        }

        _current = _spare ?? new Tape();
        _spare = null;
        return _current;
    }

    /// <summary>
    /// Computes the gradient of <paramref name="loss"/> by every tracked tensor and parameter that it depends on. The
    /// parameters' gradients are left in <see cref="Parameter.Gradient"/>.
    /// </summary>
    /// <param name="loss">A scalar (F32 or F64).</param>
    /// <param name="scale">What the gradient is multiplied by: the gradient of whatever the caller minimises by the
    /// loss.</param>
    public void Backward(Tensor loss, double scale = 1)
    {
        if (loss.Shape.Count != 1)
        {
            throw new ArgumentException($"Backward: the loss is {loss}, a scalar is wanted");
        }

        Tensor seed = loss.GradientToWrite(out _);
        if (seed.DType == DType.F64)
        {
            seed.Span<double>()[0] = scale;
        }
        else
        {
            seed.Span<float>()[0] = (float)scale;
        }

        Backward();
    }

    /// <summary>
    /// Runs the recorded operations in reverse, from output gradients that the caller has set with
    /// <see cref="SetGradient"/>.
    /// </summary>
    public void Backward()
    {
        // What the gradients' own arithmetic does is not recorded.
        Stop();
        for (int i = _nodes.Count - 1; i >= 0; i--)
        {
            // Taken out first: a node that throws must not be given back a second time with the rest.
            TapeNode node = _nodes[i];
            _nodes.RemoveAt(i);
            if (node.Output.Gradient is not null)
            {
                node.Backward();
            }

            node.Output.DetachGradient()?.Recycle();
            if (node.OutputEndsWithBackward)
            {
                node.Output.Recycle();
            }

            node.Return();
        }
    }

    /// <summary>Sets the gradient from which <see cref="Backward()"/> starts at <paramref name="output"/>.</summary>
    /// <param name="output">A tensor that a recorded operation made.</param>
    /// <param name="gradient">Values of the same shape and type.</param>
    public static void SetGradient<T>(Tensor output, ReadOnlySpan<T> gradient)
        where T : unmanaged
    {
        output.GradientType = DTypes.Of<T>();
        output.GradientToWrite(out _).Fill(gradient);
    }

    /// <summary>Stops recording and forgets what was recorded.</summary>
    public void Dispose()
    {
        foreach (TapeNode node in _nodes)
        {
            node.Return();
        }

        _nodes.Clear();
        Stop();
        _spare = this;
    }

    /// <summary>
    /// Returns a node to fill in, and records it, when a tape runs and something tracked goes into the operation; else
    /// null.
    /// </summary>
    internal static T? Record<T>(Tensor output, bool tracked)
        where T : TapeNode, new()
    {
        if (_current is not { } tape || !tracked)
        {
            return null;
        }

        T node = TapeNode.Take<T>();
        node.Output = output;
        output.Tracked = true;
        tape._nodes.Add(node);
        return node;
    }

    // Another tape may run by now: one that was started between this one's backward pass and its end.
    private void Stop()
    {
        if (_current == this)
        {
            _current = null;
        }
    }
}
