namespace Tessera.Training.Optimizers;

/// <summary>
/// Gives the factor on the learning rates in each step: linear warm-up, then the shape that the kind names.
/// </summary>
/// <param name="Kind">The shape after the warm-up.</param>
/// <param name="Steps">The number of steps of the run.</param>
/// <param name="WarmUp">Steps of warm-up: step s (from 0) has (s + 1) / warm-up.</param>
/// <param name="Decay">For warm-up–stable–decay: the last steps, over which the factor falls.</param>
/// <param name="Floor">What the factor falls to.</param>
public sealed record Schedule(ScheduleKind Kind, int Steps, int WarmUp = 0, int Decay = 0, double Floor = 0)
{
    /// <summary>Returns the factor in a step, counted from 0.</summary>
    public double At(int step)
    {
        if (step < WarmUp)
        {
            return (step + 1.0) / WarmUp;
        }

        // The decay reaches its floor on the last step.
        double fallen = Decay == 0 ? 0 : Math.Clamp((step - (Steps - Decay) + 1.0) / Decay, 0, 1);
        double through = Math.Min(1, (step - WarmUp) / (double)Math.Max(1, Steps - WarmUp));
        return Kind switch
        {
            ScheduleKind.Constant => 1,
            ScheduleKind.Cosine => Floor + ((1 - Floor) * 0.5 * (1 + Math.Cos(Math.PI * through))),
            ScheduleKind.StableDecay => Floor + ((1 - Floor) * (1 - fallen)),
            ScheduleKind.StableDecayRoot => Floor + ((1 - Floor) * (1 - Math.Sqrt(fallen))),
            ScheduleKind.InverseRoot => Math.Sqrt(Math.Max(1, WarmUp) / (step + 1.0)),
            _ => throw new InvalidOperationException($"Schedule: unknown kind {Kind}"),
        };
    }
}
