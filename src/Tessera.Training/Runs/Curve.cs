namespace Tessera.Training.Runs;

/// <summary>
/// Holds the course of some values over the steps in bounded memory: when there are too many points, each two
/// neighbours become their mean.
/// </summary>
/// <param name="columns">The number of values at each point.</param>
internal sealed class Curve(int columns)
{
    private const int Most = 1200;
    private readonly List<long> _steps = [];
    private readonly List<double[]> _points = [];
    private int _stride = 1;
    private int _inLast;

    public IReadOnlyList<long> Steps => _steps;

    /// <summary>Returns one of the values at each point.</summary>
    public IEnumerable<double> Column(int column) => _points.Select(p => p[column]);

    /// <summary>Adds a point.</summary>
    public void Add(long step, params ReadOnlySpan<double> values)
    {
        if (_inLast is 0 || _inLast == _stride)
        {
            if (_points.Count == Most)
            {
                Halve();
            }

            _steps.Add(step);
            _points.Add(values.ToArray());
            _inLast = 1;
            return;
        }

        double[] last = _points[^1];
        for (int i = 0; i < columns; i++)
        {
            last[i] += (values[i] - last[i]) / (_inLast + 1);
        }

        _steps[^1] = step;
        _inLast++;
    }

    private void Halve()
    {
        for (int i = 0; i < Most / 2; i++)
        {
            double[] first = _points[2 * i], second = _points[(2 * i) + 1];
            _points[i] = [.. first.Zip(second, (a, b) => (a + b) / 2)];
            _steps[i] = _steps[(2 * i) + 1];
        }

        _points.RemoveRange(Most / 2, Most / 2);
        _steps.RemoveRange(Most / 2, Most / 2);
        _stride *= 2;
    }
}
