using System.Collections.Concurrent;

namespace Tessera.Models.Tokenizers;

/// <summary>
/// Counts the words of documents on several threads within a limit of memory. Each thread has its own table; the tables
/// are added up after rounds of so many bytes, and only then words are forgotten, so that nothing depends on the
/// threads.
/// </summary>
internal sealed class WordCounter(Splitting splitting, int threads, long memoryLimit)
{
    private const long LongestRound = 64L << 20;
    private const int LongestPiece = 1 << 20;

    // Places in texts and tables are 32-bit numbers: over these sizes more memory is of no use.
    private const long MostUsedByWords = 4L << 30;
    private const long MostUsedByMerger = 16L << 30;

    // A round of short words that all differ takes up to 64 times its bytes: half the limit. A quarter is the table's.
    // When all are counted, the table and what learning makes of it stand beside each other, and the rounds are gone.
    private readonly long _roundBytes = Math.Min(memoryLimit / 128, LongestRound);
    private readonly long _mostForWords = Math.Min(memoryLimit / 4, MostUsedByWords);
    private readonly long _mostForMerger = Math.Min(memoryLimit / 2, MostUsedByMerger);

    // A piece is what a thread takes at a time.
    private readonly int _pieceBytes = (int)Math.Min(memoryLimit / 1024, LongestPiece);

    /// <summary>Gets the words.</summary>
    public WordTable Words { get; private set; } = new();

    /// <summary>Gets how many bytes were read.</summary>
    public long Bytes { get; private set; }

    /// <summary>Gets how many times a word was forgotten.</summary>
    public long ForgottenWords { get; private set; }

    /// <summary>Gets how many occurrences the forgotten words had.</summary>
    public long ForgottenOccurrences { get; private set; }

    /// <summary>Counts the words of documents.</summary>
    public void Count(IEnumerable<ReadOnlyMemory<byte>> documents)
    {
        using IEnumerator<List<ReadOnlyMemory<byte>>> pieces = Pieces(documents).GetEnumerator();
        while (CountRound(pieces))
        {
            if (Words.Bytes > _mostForWords)
            {
                Prune(_mostForWords / 2, WordTable.BytesOf);
            }
        }

        Prune(_mostForMerger, PairMerger.BytesOf);
    }

    // Gathers short documents and cuts long ones, so that each piece has about the same size.
    private IEnumerable<List<ReadOnlyMemory<byte>>> Pieces(IEnumerable<ReadOnlyMemory<byte>> documents)
    {
        List<ReadOnlyMemory<byte>> piece = [];
        int bytes = 0;
        foreach (ReadOnlyMemory<byte> document in documents)
        {
            ReadOnlyMemory<byte> rest = document;
            while (rest.Length > 0)
            {
                ReadOnlyMemory<byte> part = rest[..PartLength(rest.Span)];
                rest = rest[part.Length..];
                piece.Add(part);
                bytes += part.Length;
                if (bytes >= _pieceBytes)
                {
                    yield return piece;
                    (piece, bytes) = ([], 0);
                }
            }
        }

        if (piece.Count > 0)
        {
            yield return piece;
        }
    }

    private int PartLength(ReadOnlySpan<byte> rest)
    {
        for (long length = _pieceBytes; length < rest.Length; length *= 2)
        {
            if (Splitters.SafeCut(rest[..(int)length]) is int cut)
            {
                return cut;
            }
        }

        return rest.Length;
    }

    // Returns false when there are no more pieces.
    private bool CountRound(IEnumerator<List<ReadOnlyMemory<byte>>> pieces)
    {
        using BlockingCollection<List<ReadOnlyMemory<byte>>> queue = new(2 * threads);
        WordTable[] tables = [.. Enumerable.Range(0, threads).Select(_ => new WordTable())];
        Task[] workers = [.. tables.Select(table => Task.Run(() => CountAll(queue, table)))];
        long round = 0;
        bool more = true;
        try
        {
            while (round < _roundBytes && (more = pieces.MoveNext()))
            {
                round += pieces.Current.Sum(part => (long)part.Length);
                queue.Add(pieces.Current);
            }
        }
        finally
        {
            queue.CompleteAdding();
            Task.WaitAll(workers);
        }

        Bytes += round;
        foreach (WordTable table in tables)
        {
            AddTable(table);
        }

        return more;
    }

    private void Prune(long mostBytes, Func<int, long> bytesOf)
    {
        (long words, long occurrences) = Words.Prune(mostBytes, bytesOf);
        ForgottenWords += words;
        ForgottenOccurrences += occurrences;
    }

    private void AddTable(WordTable table)
    {
        if (Words.Count == 0)
        {
            Words = table;
        }
        else
        {
            Words.Add(table);
        }
    }

    private void CountAll(BlockingCollection<List<ReadOnlyMemory<byte>>> queue, WordTable table)
    {
        try
        {
            foreach (ReadOnlyMemory<byte> part in queue.GetConsumingEnumerable().SelectMany(piece => piece))
            {
                switch (splitting)
                {
                    case Splitting.Cl100k:
                        table.CountWords<Cl100kSplitter>(part.Span);
                        break;
                    case Splitting.Gpt2Digits:
                        table.CountWords<Gpt2DigitsSplitter>(part.Span);
                        break;
                    default:
                        table.CountWords<Gpt2Splitter>(part.Span);
                        break;
                }
            }
        }
        catch
        {
            // The reader must not wait for a thread that is gone.
            queue.CompleteAdding();
            throw;
        }
    }
}
