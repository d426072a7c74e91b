namespace Tessera.Training.Data;

/// <summary>
/// Chooses document after document: the source that is furthest behind its share of all rows, and of that source the
/// next in a shuffled order, which is another in each pass.
/// </summary>
internal sealed class DocumentOrder
{
    private readonly ulong _seed;
    private readonly int[] _documents;
    private readonly double[] _shares;
    private readonly long[] _pass;
    private readonly long[] _next;
    private readonly long[] _drawn;
    private readonly Permutation[] _shuffled;

    public DocumentOrder(long seed, IReadOnlyList<int> documents, IReadOnlyList<double> shares)
    {
        _seed = (ulong)seed;
        _documents = [.. documents];
        _shares = [.. shares];
        _pass = new long[_documents.Length];
        _next = new long[_documents.Length];
        _drawn = new long[_documents.Length];
        _shuffled = new Permutation[_documents.Length];
        for (int i = 0; i < _documents.Length; i++)
        {
            _shuffled[i] = Shuffle(i);
        }
    }

    public IReadOnlyList<SourcePosition> Positions =>
        [.. Enumerable.Range(0, _documents.Length).Select(i => new SourcePosition(_pass[i], _next[i], _drawn[i]))];

    public void Restore(IReadOnlyList<SourcePosition> positions)
    {
        for (int i = 0; i < _documents.Length; i++)
        {
            (_pass[i], _next[i], _drawn[i]) = (positions[i].Pass, positions[i].Next, positions[i].DrawnRows);
            if (_next[i] < 0 || _next[i] > _documents[i] || _pass[i] < 0)
            {
                throw new InvalidDataException(
                    $"data position: place {_next[i]} of source {i}, which has {_documents[i]} documents: "
                    + "the data has changed");
            }

            _shuffled[i] = Shuffle(i);
        }
    }

    /// <summary>Returns the source that is furthest behind its share; of several the first.</summary>
    public int ChooseSource()
    {
        long total = 0;
        foreach (long drawn in _drawn)
        {
            total += drawn;
        }

        int best = 0;
        double behind = double.NegativeInfinity;
        for (int i = 0; i < _shares.Length; i++)
        {
            // By share of what would be behind: a source of share 0 is never ahead of another.
            double here = _shares[i] > 0 ? (_shares[i] * total) - _drawn[i] : double.NegativeInfinity;
            if (here > behind)
            {
                (best, behind) = (i, here);
            }
        }

        return best;
    }

    /// <summary>Returns the source's next document, as an index in it.</summary>
    public int NextDocument(int source)
    {
        if (_next[source] == _documents[source])
        {
            (_pass[source], _next[source]) = (_pass[source] + 1, 0);
            _shuffled[source] = Shuffle(source);
        }

        return (int)_shuffled[source][_next[source]++];
    }

    /// <summary>Adds the rows of a document, or of a window, to what the source has given.</summary>
    public void Draw(int source, long rows) => _drawn[source] += rows;

    private Permutation Shuffle(int source) =>
        new(_documents[source], Chance.Mix(Chance.Mix(_seed, (ulong)source), (ulong)_pass[source]));
}
