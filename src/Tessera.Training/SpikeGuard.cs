namespace Tessera.Training;

/// <summary>
/// Watches the loss: a step whose loss or gradient is not a number, or whose loss lies far above what came before, is
/// refused, so that one bad batch can't spoil the weights.
/// </summary>
public sealed class SpikeGuard
{
    /// <summary>How many steps the running mean needs before it judges; losses fall steeply at first.</summary>
    private const int Warm = 50;

    // The mean follows losses closely and the variance slowly. With 0.98 for both, the mean lay so far behind the first
    // fall that its distance passed for variance, and a jump from 0.3 to 7 went through 195 steps after the start.
    private const double MeanMemory = 0.9;
    private const double VarianceMemory = 0.98;

    private readonly double _deviations;

    /// <summary>Makes a guard.</summary>
    /// <param name="deviations">How many standard deviations above the running mean a loss may lie; infinity: any
    /// number is accepted.</param>
    public SpikeGuard(double deviations = 8) => _deviations = deviations;

    /// <summary>
    /// Gets or sets the state: the number of accepted steps, and the running mean and variance of their losses.
    /// </summary>
    public (long Steps, double Mean, double Variance) State { get; set; }

    /// <summary>Gets how many steps in a row were refused.</summary>
    public int Refused { get; private set; }

    /// <summary>Returns whether the step may be made, and remembers its loss if so.</summary>
    public bool Accepts(double loss, double gradientNorm)
    {
        (long steps, double mean, double variance) = State;
        bool finite = double.IsFinite(loss) && double.IsFinite(gradientNorm);
        double room = _deviations * Math.Sqrt(Math.Max(variance, 1e-4));
        if (!finite || (steps >= Warm && loss > mean + room))
        {
            Refused++;
            return false;
        }

        Refused = 0;
        double away = steps == 0 ? 0 : loss - mean;
        State = (
            steps + 1,
            steps == 0 ? loss : mean + ((1 - MeanMemory) * away),
            (VarianceMemory * variance) + ((1 - VarianceMemory) * away * away));
        return true;
    }
}
