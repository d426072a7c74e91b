namespace Tessera.Tensors;

/// <summary>
/// Holds the cosines and sines of rotary position embedding (arXiv 2104.09864): the pair i of a head turns by
/// position · theta^(−2i / dimensions).
/// </summary>
public sealed class Rotary
{
    private readonly double[] _frequencies;

    /// <summary>Makes the tables.</summary>
    /// <param name="theta">The base of the frequencies.</param>
    /// <param name="dimensions">How many leading entries of a head turn (even); the rest stay.</param>
    /// <param name="positions">Positions 0 to positions − 1 are held.</param>
    /// <param name="interleaved">Whether a pair is two neighbours (GPT-J's form) and not entries i and i + dimensions/2
    /// (GPT-NeoX's, Llama's).</param>
    /// <exception cref="ArgumentException">A number is out of range.</exception>
    public Rotary(double theta, int dimensions, int positions, bool interleaved = false)
    {
        if (dimensions < 2 || dimensions % 2 != 0 || positions < 1 || !(theta > 0) || !double.IsFinite(theta))
        {
            throw new ArgumentException(
                $"Rotary: theta {theta}, dimensions {dimensions} (even, at least 2), "
                + $"positions {positions} (at least 1)");
        }

        Dimensions = dimensions;
        Positions = positions;
        Interleaved = interleaved;
        _frequencies = new double[dimensions / 2];
        for (int i = 0; i < _frequencies.Length; i++)
        {
            _frequencies[i] = Math.Pow(theta, -2.0 * i / dimensions);
        }

        Shape shape = new(positions, dimensions / 2);
        Cosines = Tensor.Allocate(shape, DType.F32);
        Sines = Tensor.Allocate(shape, DType.F32);
        Span<float> cosines = Cosines.Span<float>(), sines = Sines.Span<float>();
        for (int p = 0, at = 0; p < positions; p++)
        {
            for (int i = 0; i < _frequencies.Length; i++, at++)
            {
                (double sine, double cosine) = Math.SinCos(p * _frequencies[i]);
                (sines[at], cosines[at]) = ((float)sine, (float)cosine);
            }
        }
    }

    /// <summary>Gets how many leading entries of a head turn.</summary>
    public int Dimensions { get; }

    /// <summary>Gets the number of positions held.</summary>
    public int Positions { get; }

    /// <summary>Gets whether pairs are neighbours.</summary>
    public bool Interleaved { get; }

    internal Tensor Cosines { get; }

    internal Tensor Sines { get; }

    /// <summary>Returns the angle of a pair at a position, in radians.</summary>
    public double Angle(int position, int pair) => position * _frequencies[pair];
}
