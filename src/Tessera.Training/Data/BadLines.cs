namespace Tessera.Training.Data;

/// <summary>
/// Counts the lines of data that can't be used, keeps the first few for the report, and stops past a limit.
/// </summary>
/// <param name="limit">The number of bad lines that are skipped; one more is an error.</param>
public sealed class BadLines(long limit)
{
    /// <summary>The number of bad lines that a recipe allows where it says nothing.</summary>
    public const long DefaultLimit = 100;

    private const int ReportsKept = 20;
    private readonly List<BadLine> _first = [];
    private readonly BadLines? _whole;

    private BadLines(BadLines whole)
        : this(long.MaxValue) => _whole = whole;

    /// <summary>Gets the number of bad lines so far.</summary>
    public long Count { get; private set; }

    /// <summary>Gets the first bad lines.</summary>
    public IReadOnlyList<BadLine> First => _first;

    /// <summary>Counts a line.</summary>
    /// <exception cref="InvalidDataException">There are more bad lines than the limit.</exception>
    public void Add(string file, long line, string reason)
    {
        if (_first.Count < ReportsKept)
        {
            _first.Add(new BadLine(file, line, reason));
        }

        Count++;
        _whole?.Add(file, line, reason);
        RequireWithinLimit();
    }

    /// <summary>Returns a counter for one file, whose lines are counted here too.</summary>
    public BadLines OfFile() => new(this);

    /// <summary>Counts the bad lines of a file that was read before.</summary>
    /// <exception cref="InvalidDataException">There are more bad lines than the limit.</exception>
    public void Add(long count, IEnumerable<BadLine> first)
    {
        _first.AddRange(first.Take(ReportsKept - _first.Count));
        Count += count;
        RequireWithinLimit();
    }

    private void RequireWithinLimit()
    {
        if (Count > limit)
        {
            throw new InvalidDataException(
                $"data: {Count} bad lines, and data.bad_lines allows {limit}; "
                + $"the first: {string.Join("; ", _first.Take(3))}");
        }
    }
}
