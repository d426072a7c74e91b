using System.Text;
using Tessera.Tensors.Files;

namespace Tessera.Models.Tokenizers;

/// <summary>
/// Trains byte-level BPE (Sennrich et al. 2016) as <c>tokenizers</c> does: the most frequent pair first, of equal
/// counts the smallest pair of ids. The same documents give the same tokenizer, whatever the threads.
/// </summary>
public sealed class BpeTrainer
{
    private readonly BpeTrainerSettings _settings;

    /// <summary>Makes a trainer; settings that can't be met are an error.</summary>
    public BpeTrainer(BpeTrainerSettings settings)
    {
        int least = settings.SpecialTokens.Count + 256;
        if (settings.VocabularySize < least || settings.VocabularySize > TokenizerJson.MostTokens)
        {
            throw new ArgumentException($"BpeTrainer: vocabulary size {settings.VocabularySize}, "
                + $"wanted {least} (special tokens and bytes) to {TokenizerJson.MostTokens}");
        }

        if (settings.Splitting == Splitting.None)
        {
            throw new ArgumentException("BpeTrainer: splitting None, wanted one that makes words");
        }

        CheckSpecialTokens(settings.SpecialTokens);
        ArgumentOutOfRangeException.ThrowIfLessThan(settings.Threads, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(settings.MemoryLimit, BpeTrainerSettings.LeastMemoryLimit);
        _settings = settings;
    }

    /// <summary>
    /// Trains on documents, which are read once, one after another; no token crosses a document's end.
    /// </summary>
    public BpeTraining Train(IEnumerable<string> documents) =>
        Train(documents.Select(document => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(document)));

    /// <summary>
    /// Trains on documents in UTF-8, which are read once; their memory must stay as it is until this returns.
    /// </summary>
    public BpeTraining Train(IEnumerable<ReadOnlyMemory<byte>> documents)
    {
        WordCounter counter = new(_settings.Splitting, _settings.Threads, _settings.MemoryLimit);
        counter.Count(documents);
        PairMerger merger = new(counter.Words, _settings.SpecialTokens);
        merger.MergeUntil(_settings.VocabularySize);
        return new BpeTraining
        {
            Tokenizer = Tokenizer(merger.Tokens, merger.Merges, _settings.Splitting, _settings.SpecialTokens),
            MergeCounts = [.. merger.Merges.Select(merge => merge.Count)],
            Bytes = counter.Bytes,
            DistinctWords = counter.Words.Count,
            ForgottenWords = counter.ForgottenWords,
            ForgottenOccurrences = counter.ForgottenOccurrences,
        };
    }

    /// <summary>
    /// Makes the tokenizer of a text's characters: special tokens, then the bytes that occur, no merges. Another byte
    /// in a text is an error when it is encoded.
    /// </summary>
    public static ByteLevelBpe TrainBytes(
        IEnumerable<ReadOnlyMemory<byte>> documents, params IReadOnlyList<string> specialTokens)
    {
        CheckSpecialTokens(specialTokens);
        bool[] occurs = new bool[256];
        foreach (ReadOnlyMemory<byte> document in documents)
        {
            foreach (byte value in document.Span)
            {
                occurs[value] = true;
            }
        }

        IEnumerable<string> bytes = Enumerable.Range(0, 256)
            .Where(value => occurs[value])
            .Select(value => ByteAlphabet.Token((byte)value))
            .Order(StringComparer.Ordinal);
        return Tokenizer([.. specialTokens, .. bytes], [], Splitting.None, specialTokens);
    }

    private static void CheckSpecialTokens(IReadOnlyList<string> specialTokens)
    {
        HashSet<string> seen = [.. ByteAlphabet.Tokens];
        foreach (string token in specialTokens)
        {
            // Half a surrogate pair has no UTF-8: it would come back from the file as another token.
            bool isText = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(token)) == token;
            if (token.Length == 0 || !isText || !seen.Add(token))
            {
                throw new ArgumentException($"BpeTrainer: special token {HostileText.Quote(token)}, "
                    + "wanted each once, not empty, no byte's token and no half of a surrogate pair");
            }
        }
    }

    private static ByteLevelBpe Tokenizer(
        IReadOnlyList<string> tokens,
        IReadOnlyList<(string Left, string Right, long Count)> merges,
        Splitting splitting,
        IReadOnlyList<string> specialTokens) =>
        new("trained", new TokenizerJson
        {
            Vocabulary = [.. tokens.Select((token, id) => (token, id))],
            Merges = [.. merges.Select(merge => (merge.Left, merge.Right))],
            AddedTokens = [.. specialTokens.Select((text, id) => new AddedToken { Id = id, Text = text })],
            Splitting = splitting,
            PreTokenizer = TokenizerJson.PreTokenizerOf(splitting),
        });
}
