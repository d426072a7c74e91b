using Tessera.Training.Data;

namespace Tessera.Training.Evaluation;

/// <summary>
/// Measures what a model pays for text that it has not learned. Each document is <c>&lt;|endoftext|&gt; text
/// &lt;|endoftext|&gt;</c>, cut into windows without overlap, in which every token is predicted, the last marker too.
/// </summary>
/// <remarks>Of a conversation only what the assistant says is counted.</remarks>
public sealed class HeldOutEvaluation
{
    private readonly HeldOutOptions _options;
    private readonly int _endOfText;
    private readonly int[] _bytes;
    private readonly int[] _characters;
    private readonly Batch _batch;
    private readonly float[] _losses;

    /// <summary>Makes an evaluation, which can be used again and again.</summary>
    public HeldOutEvaluation(IDocumentEncoder encoder, HeldOutOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Window);
        _options = options;
        _endOfText = encoder.EndOfText;
        _bytes = new int[encoder.VocabularySize];
        _characters = new int[encoder.VocabularySize];
        for (int id = 0; id < _bytes.Length; id++)
        {
            ReadOnlySpan<byte> text = encoder.TextOf(id);
            _bytes[id] = text.Length;
            foreach (byte value in text)
            {
                _characters[id] += (value & 0xC0) == 0x80 ? 0 : 1;
            }
        }

        _batch = new Batch(Math.Max(options.Rows, options.Window));
        _losses = new float[_batch.Capacity];
    }

    /// <summary>Measures one set.</summary>
    /// <param name="set">The documents.</param>
    /// <param name="losses">The model.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="InvalidDataException">There is nothing to predict.</exception>
    public HeldOutResult Measure(HeldOutSet set, TokenLosses losses, CancellationToken cancellation = default)
    {
        Sum sum = new();
        _batch.Clear();
        foreach (TokenFile file in set.Files)
        {
            for (int document = 0; document < file.Documents && sum.BytesTaken < _options.ByteLimit; document++)
            {
                sum.Documents++;
                AddDocument(file, document, sum, losses, cancellation);
            }
        }

        Run(sum, losses);
        return sum.Predictions > 0
            ? new HeldOutResult(set.Name, sum.Documents, sum.Predictions, sum.Bytes, sum.Characters, sum.Nats)
            : throw new InvalidDataException($"held-out data: {set.Name} holds nothing to predict");
    }

    private void AddDocument(
        TokenFile file, int document, Sum sum, TokenLosses losses, CancellationToken cancellation)
    {
        bool chat = file.IsChat(document);
        long length = file.Length(document), rows = chat ? length - 1 : length + 1;
        for (long row = 0; row < rows && sum.BytesTaken < _options.ByteLimit;)
        {
            int count = (int)Math.Min(rows - row, _options.Window);
            if (count > _batch.Free)
            {
                cancellation.ThrowIfCancellationRequested();
                Run(sum, losses);
            }

            Span<int> labels = DocumentRows.Write(file, document, row, count, _endOfText, chat, chat, _batch);
            _batch.EndSegment(count);
            foreach (int label in labels)
            {
                sum.BytesTaken += label == Batch.Masked ? 0 : _bytes[label];
            }

            row += count;
        }
    }

    private void Run(Sum sum, TokenLosses losses)
    {
        if (_batch.Rows == 0)
        {
            return;
        }

        _batch.Finish();
        losses(_batch, _losses.AsSpan(0, _batch.Rows));
        for (int i = 0; i < _batch.Rows; i++)
        {
            int label = _batch.Labels[i];
            if (label != Batch.Masked)
            {
                sum.Predictions++;
                sum.Bytes += _bytes[label];
                sum.Characters += _characters[label];
                sum.Nats += _losses[i];
            }
        }

        _batch.Clear();
    }

    private sealed class Sum
    {
        public long Documents { get; set; }

        public long Predictions { get; set; }

        /// <summary>Gets or sets the bytes whose losses are summed.</summary>
        public long Bytes { get; set; }

        /// <summary>Gets or sets the bytes that have been put into batches.</summary>
        public long BytesTaken { get; set; }

        public long Characters { get; set; }

        public double Nats { get; set; }
    }
}
