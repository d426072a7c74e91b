namespace Tessera.Training.Data;

/// <summary>
/// Counts the lines of data that can't be used, keeps the first few to name them, and stops past a limit.
/// </summary>
/// <remarks>
/// A file is read more than once: for each part and each filter of it, and then found in the cache. However often that
/// is, a line counts once.
/// </remarks>
/// <param name="limit">The number of bad lines that are skipped; one more is an error.</param>
public sealed class BadLines(long limit)
{
    /// <summary>The number of bad lines that a recipe allows where it says nothing.</summary>
    public const long DefaultLimit = 100;

    private const int ReportsKept = 20;
    private readonly List<BadLine> _first = [];
    private readonly Dictionary<string, Counted> _files = [];
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
        // A reading tells of its lines in their order, so that one that isn't behind the last was counted before.
        Counted before = _files.GetValueOrDefault(file);
        if (line > before.LastLine)
        {
            _files[file] = new Counted(before.Lines + 1, line);
            Count++;
            Keep([new BadLine(file, line, reason)]);
        }

        _whole?.Add(file, line, reason);
        RequireWithinLimit();
    }

    /// <summary>Returns a counter for one reading of a file, whose lines are counted here too.</summary>
    public BadLines OfFile() => new(this);

    /// <summary>Counts the bad lines of a file that was read before.</summary>
    /// <exception cref="InvalidDataException">There are more bad lines than the limit.</exception>
    public void Add(string file, long count, IEnumerable<BadLine> first)
    {
        Counted before = _files.GetValueOrDefault(file);
        if (count > before.Lines)
        {
            // Which lines they were is no longer known but for the first: none of this file counts from here on.
            _files[file] = new Counted(count, long.MaxValue);
            Count += count - before.Lines;
            Keep(first.Where(bad => bad.Line > before.LastLine));
        }

        RequireWithinLimit();
    }

    private void Keep(IEnumerable<BadLine> lines) => _first.AddRange(lines.Take(ReportsKept - _first.Count));

    private void RequireWithinLimit()
    {
        if (Count > limit)
        {
            throw new InvalidDataException(
                $"data: {Count} bad lines, and data.bad_lines allows {limit}; "
                + $"the first: {string.Join("; ", _first.Take(3))}");
        }
    }

    private readonly record struct Counted(long Lines, long LastLine);
}
