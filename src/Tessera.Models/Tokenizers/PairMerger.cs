namespace Tessera.Models.Tokenizers;

/// <summary>
/// Learns merges from counted words: the most frequent pair first, of equal counts the smallest pair of ids. Counts of
/// pairs are kept up to date by each merge, in the words that the pair was seen in.
/// </summary>
internal sealed class PairMerger
{
    // A start, a length and a count; a symbol, and up to three nodes of 8 bytes, whose arrays may be half empty and are
    // copied when they grow.
    private const int BytesPerWord = 16;
    private const int BytesPerSymbol = 4 + (3 * 8 * 3);

    private readonly List<string> _tokens;
    private readonly Dictionary<string, int> _ids = [];
    private readonly int[] _symbols;
    private readonly int[] _starts;
    private readonly int[] _lengths;
    private readonly long[] _counts;
    private readonly PairTable _pairs = new();
    private readonly MinHeap<Candidate> _candidates = new();
    private readonly List<ulong> _raised = [];
    private readonly int _specialCount;
    private int _merge;

    /// <summary>
    /// Prepares words; ids are special tokens first, then the 256 bytes in order of their characters.
    /// </summary>
    public PairMerger(WordTable words, IReadOnlyList<string> specialTokens)
    {
        _specialCount = specialTokens.Count;
        _tokens = [.. specialTokens, .. ByteAlphabet.Tokens];
        for (int id = 0; id < _tokens.Count; id++)
        {
            _ids.Add(_tokens[id], id);
        }

        int[] idOfByte = [.. Enumerable.Range(0, 256).Select(value => _ids[ByteAlphabet.Token((byte)value)])];
        (int wordCount, int symbolCount) = (0, 0);
        words.ForEach((word, _) => (wordCount, symbolCount) = word.Length > 1
            ? (wordCount + 1, checked(symbolCount + word.Length))
            : (wordCount, symbolCount));
        _symbols = new int[symbolCount];
        _starts = new int[wordCount + 1];
        _lengths = new int[wordCount];
        _counts = new long[wordCount];
        int next = 0;
        words.ForEach((word, count) =>
        {
            if (word.Length > 1)
            {
                int start = _starts[next];
                for (int i = 0; i < word.Length; i++)
                {
                    _symbols[start + i] = idOfByte[word[i]];
                }

                (_lengths[next], _counts[next]) = (word.Length, count);
                _starts[++next] = start + word.Length;
            }
        });
    }

    /// <summary>
    /// Returns the most bytes that a word of a length may take here: its symbols, and in the lists of the pairs each
    /// neighbour once and each merge in it twice. The table of pairs grows with the vocabulary, not with the words.
    /// </summary>
    public static long BytesOf(int length) => BytesPerWord + ((long)length * BytesPerSymbol);

    /// <summary>Gets the tokens in order of their ids.</summary>
    public IReadOnlyList<string> Tokens => _tokens;

    /// <summary>Gets the merges in order, each with the count that it was chosen for.</summary>
    public List<(string Left, string Right, long Count)> Merges { get; } = [];

    /// <summary>Merges until there are so many tokens, or no pair is left.</summary>
    public void MergeUntil(int vocabularySize)
    {
        CountPairs();
        while (_tokens.Count < vocabularySize && _candidates.TryPop(out Candidate best))
        {
            long count = _pairs[best.Pair].Count;
            if (count == best.Count && !MakesSpecial(best.Pair))
            {
                Merge((int)(best.Pair >> 32), (int)(uint)best.Pair, count);
            }
            else if (count > 0 && count < best.Count)
            {
                // Counts that fell since are put right when they come up; counts that rose were offered again when they
                // rose.
                _candidates.Push(best with { Count = count });
            }
        }
    }

    // Text that a merge turned into a control token could not be told from the token.
    private bool MakesSpecial(ulong pair) =>
        _ids.TryGetValue(_tokens[(int)(pair >> 32)] + _tokens[(int)(uint)pair], out int product)
        && product < _specialCount;

    private void CountPairs()
    {
        ReadOnlySpan<int> symbols = _symbols;
        for (int word = 0; word < _counts.Length; word++)
        {
            for (int i = _starts[word]; i + 1 < _starts[word + 1]; i++)
            {
                ref PairTable.Entry entry = ref _pairs[PairTable.Key(symbols[i], symbols[i + 1])];
                entry.Count += _counts[word];
                _pairs.Note(ref entry, word);
            }
        }

        foreach ((ulong pair, long count) in _pairs.Counts())
        {
            _candidates.Push(new Candidate(count, pair));
        }
    }

    private void Merge(int left, int right, long count)
    {
        string token = _tokens[left] + _tokens[right];
        if (!_ids.TryGetValue(token, out int product))
        {
            product = _tokens.Count;
            _ids.Add(token, product);
            _tokens.Add(token);
        }

        Merges.Add((_tokens[left], _tokens[right], count));
        _merge++;
        int node = _pairs[PairTable.Key(left, right)].FirstNode;
        while (node != PairTable.NoNode)
        {
            (int word, node) = _pairs.Node(node);
            MergeInWord(word, left, right, product);
        }

        ref PairTable.Entry merged = ref _pairs[PairTable.Key(left, right)];
        (merged.Count, merged.FirstNode, merged.LastWord) = (0, PairTable.NoNode, -1);
        foreach (ulong pair in _raised)
        {
            long raised = _pairs[pair].Count;
            if (raised > 0)
            {
                _candidates.Push(new Candidate(raised, pair));
            }
        }

        _raised.Clear();
    }

    // Merging goes from the left; of a run (aaa) the first two are taken.
    private void MergeInWord(int word, int left, int right, int product)
    {
        Span<int> symbols = _symbols.AsSpan(_starts[word], _lengths[word]);
        long count = _counts[word];
        int write = 0;
        for (int read = 0; read < symbols.Length; write++)
        {
            if (symbols[read] != left || read + 1 == symbols.Length || symbols[read + 1] != right)
            {
                symbols[write] = symbols[read++];
                continue;
            }

            if (write > 0)
            {
                Lower(PairTable.Key(symbols[write - 1], left), count);
                Raise(PairTable.Key(symbols[write - 1], product), count, word);
            }

            read += 2;
            symbols[write] = product;
            if (read < symbols.Length)
            {
                Lower(PairTable.Key(right, symbols[read]), count);
                Raise(PairTable.Key(product, symbols[read]), count, word);
            }
        }

        _lengths[word] = write;
    }

    private void Lower(ulong pair, long count) => _pairs[pair].Count -= count;

    private void Raise(ulong pair, long count, int word)
    {
        ref PairTable.Entry entry = ref _pairs[pair];
        entry.Count += count;
        _pairs.Note(ref entry, word);
        if (entry.RaisedBy != _merge)
        {
            entry.RaisedBy = _merge;
            _raised.Add(pair);
        }
    }

    /// <summary>A pair that was offered with a count; the best one is the smallest.</summary>
    private readonly record struct Candidate(long Count, ulong Pair) : IComparable<Candidate>
    {
        public int CompareTo(Candidate other) =>
            Count != other.Count ? other.Count.CompareTo(Count) : Pair.CompareTo(other.Pair);
    }
}
