namespace Tessera.Training.Data;

/// <summary>
/// Gives batch after batch without end, in an order that follows from the seed alone. A stream made anew at a
/// <see cref="Position"/> gives the same batches as one that was never interrupted.
/// </summary>
/// <remarks>
/// A text is read as <c>&lt;|endoftext|&gt; text</c> with the labels <c>text &lt;|endoftext|&gt;</c>: one row more than
/// it has tokens. See <see cref="DocumentMode"/> for what is cut where.
/// </remarks>
public sealed class BatchReader
{
    private readonly IReadOnlyList<DocumentPool> _pools;
    private readonly BatchOptions _options;
    private readonly DocumentOrder _order;
    private long _batches;
    private int _source;
    private int _document;
    private long _row;
    private long _rows;

    /// <summary>Makes a stream.</summary>
    /// <param name="mixture">The sources and their shares.</param>
    /// <param name="options">The form of the batches.</param>
    /// <param name="position">Where to go on; null to begin.</param>
    /// <exception cref="InvalidDataException">The position doesn't belong to this data or this seed.</exception>
    public BatchReader(Mixture mixture, BatchOptions options, DataPosition? position = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Sequences);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Length);
        (_pools, _options) = (mixture.Pools, options);
        _order = new DocumentOrder(options.Seed, [.. _pools.Select(p => p.Documents)], mixture.Shares);
        if (position is not null)
        {
            Restore(position);
        }
    }

    /// <summary>Gets the position behind the last batch.</summary>
    public DataPosition Position => new(
        _options.Seed,
        _batches,
        _order.Positions,
        _row < _rows ? new DocumentPosition(_source, _document, _row) : null);

    /// <summary>
    /// Gets the conversations that were cut because they are longer than a sequence, since this stream was made.
    /// </summary>
    public long CutConversations { get; private set; }

    /// <summary>Makes a batch of the right size, to be filled by <see cref="Next"/> again and again.</summary>
    public Batch NewBatch() => new(_options.Rows);

    /// <summary>Fills the batch with the next rows.</summary>
    /// <exception cref="InvalidDataException">No document of a source gives a row.</exception>
    public void Next(Batch batch)
    {
        if (batch.Capacity != _options.Rows)
        {
            throw new ArgumentException($"BatchReader: the batch holds {batch.Capacity} rows, wanted {_options.Rows}");
        }

        batch.Clear();
        switch (_options.Mode)
        {
            case DocumentMode.Separate:
                FillSeparate(batch);
                break;
            case DocumentMode.Across:
                FillAcross(batch);
                break;
            default:
                FillWindows(batch);
                break;
        }

        batch.Finish();
        _batches++;
    }

    private void FillSeparate(Batch batch)
    {
        while (batch.Free > 0)
        {
            RequireDocument();
            (TokenFile file, int document) = _pools[_source].Locate(_document);
            if (file.IsChat(document) && _rows > batch.Free)
            {
                Pad(batch);
                return;
            }

            int rows = (int)Math.Min(_rows - _row, Math.Min(batch.Free, _options.Length));
            Write(batch, rows);
            batch.EndSegment(rows);
        }
    }

    private void FillAcross(Batch batch)
    {
        while (batch.Free > 0)
        {
            RequireDocument();
            Write(batch, (int)Math.Min(_rows - _row, batch.Free));
        }

        EndSequences(batch);
    }

    private void FillWindows(Batch batch)
    {
        for (int sequence = 0; sequence < _options.Sequences; sequence++)
        {
            _source = _order.ChooseSource();
            _order.Draw(_source, _options.Length);
            DocumentPool pool = _pools[_source];
            long places = pool.Rows - _options.Length + 1;
            if (places <= 0)
            {
                throw new InvalidDataException(
                    $"data: {pool.Name} holds {pool.Rows} tokens, fewer than a sequence of {_options.Length}");
            }

            ulong draw = Chance.Mix((ulong)_options.Seed, (ulong)((_batches * _options.Sequences) + sequence));
            (_document, _row) = pool.LocateRow(Chance.Below(draw, places));
            for (int left = _options.Length; left > 0; _document++, _row = 0)
            {
                _rows = RowsOf(pool, _document);
                int rows = (int)Math.Min(_rows - _row, left);
                Write(batch, rows);
                left -= rows;
            }
        }

        (_row, _rows) = (0, 0);
        EndSequences(batch);
    }

    private void EndSequences(Batch batch)
    {
        for (int i = 0; i < _options.Sequences; i++)
        {
            batch.EndSegment(_options.Length);
        }
    }

    private void Pad(Batch batch)
    {
        while (batch.Free > 0)
        {
            int rows = Math.Min(batch.Free, _options.Length);
            (Memory<int> tokens, Memory<int> labels) = batch.Extend(rows);
            tokens.Span.Fill(_options.EndOfText);
            labels.Span.Fill(Batch.Masked);
            batch.EndSegment(rows);
        }
    }

    /// <summary>Draws the next document where the last one has been read to its end.</summary>
    private void RequireDocument()
    {
        for (long drawn = 0; _row >= _rows; drawn++)
        {
            _source = _order.ChooseSource();
            DocumentPool pool = _pools[_source];
            if (drawn > pool.Documents)
            {
                throw new InvalidDataException($"data: no document of {pool.Name} is long enough to learn from");
            }

            _document = _order.NextDocument(_source);
            (_row, _rows) = (0, RowsOf(pool, _document));
            _order.Draw(_source, _rows);
        }
    }

    private long RowsOf(DocumentPool pool, int index)
    {
        (TokenFile file, int document) = pool.Locate(index);
        long length = file.Length(document);
        if (_options.Mode != DocumentMode.Separate || !file.IsChat(document))
        {
            return length + 1;
        }

        // A conversation begins with a marker of its own, and its last token predicts nothing.
        CutConversations += length - 1 > _options.Length ? 1 : 0;
        return Math.Min(length - 1, _options.Length);
    }

    /// <summary>Writes the next rows of the document.</summary>
    private void Write(Batch batch, int rows)
    {
        DocumentPool pool = _pools[_source];
        (TokenFile file, int document) = pool.Locate(_document);
        bool chat = file.IsChat(document);
        DocumentRows.Write(
            file,
            document,
            _row,
            rows,
            _options.EndOfText,
            bare: chat && _options.Mode == DocumentMode.Separate,
            repliesOnly: chat && pool.RepliesOnly,
            batch);
        _row += rows;
    }

    private void Restore(DataPosition position)
    {
        if (position.Seed != _options.Seed || position.Sources.Count != _pools.Count)
        {
            throw new InvalidDataException(
                $"data position: made with seed {position.Seed} and {position.Sources.Count} sources, "
                + $"and this data has seed {_options.Seed} and {_pools.Count}: the recipe has changed");
        }

        _batches = position.Batches;
        _order.Restore(position.Sources);
        if (position.Unfinished is { } place)
        {
            if ((uint)place.Source >= (uint)_pools.Count
                || (uint)place.Document >= (uint)_pools[place.Source].Documents)
            {
                throw new InvalidDataException($"data position: {place} is not in the data: the data has changed");
            }

            (_source, _document, _row) = (place.Source, place.Document, place.Row);
            _rows = RowsOf(_pools[_source], _document);
            if (_row < 0 || _row >= _rows)
            {
                throw new InvalidDataException(
                    $"data position: row {_row} of a document of {_rows}: the data has changed");
            }
        }
    }
}
