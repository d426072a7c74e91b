using Tessera.Tensors;

namespace Tessera.Training.Optimizers;

/// <summary>
/// Moves parameters against their gradients. Its state is named tensors, so that a checkpoint can hold it.
/// </summary>
public abstract class Optimizer
{
    /// <summary>Gets or sets how many steps have been made.</summary>
    public int Steps { get; set; }

    /// <summary>Gets the state by name: each parameter's moments.</summary>
    public abstract IEnumerable<(string Name, Tensor Value)> State { get; }

    /// <summary>Makes one step.</summary>
    /// <param name="schedule">What the learning rates are multiplied by in this step.</param>
    /// <param name="gradientScale">What the gradients are multiplied by: below 1 where they are clipped.</param>
    public void Step(double schedule, double gradientScale = 1)
    {
        Steps++;
        Update(schedule, gradientScale);
    }

    /// <summary>Moves the parameters; <see cref="Steps"/> counts this step already.</summary>
    protected abstract void Update(double schedule, double gradientScale);

    /// <summary>Returns the Euclidean norm of all gradients together, in a fixed order of sums.</summary>
    public static double GradientNorm(IReadOnlyList<Parameter> parameters)
    {
        double sum = 0;
        for (int i = 0; i < parameters.Count; i++)
        {
            sum += parameters[i] is { Frozen: false, Gradient: { } gradient } ? Ops.SumOfSquares(gradient) : 0;
        }

        return Math.Sqrt(sum);
    }

    /// <summary>
    /// Returns the factor that brings gradients of norm <paramref name="norm"/> down to <paramref name="limit"/>, as
    /// PyTorch's clip_grad_norm_ does.
    /// </summary>
    public static double ClipScale(double norm, double? limit) =>
        limit is { } most ? Math.Min(1, most / (norm + 1e-6)) : 1;
}
