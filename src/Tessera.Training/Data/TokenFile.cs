using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using Tessera.Tensors.Files;

namespace Tessera.Training.Data;

/// <summary>Holds the tokens of one file of data, mapped into memory.</summary>
/// <remarks>
/// A folder of <c>facts.json</c>; <c>tokens.bin</c>, 2 bytes an id where the vocabulary fits them, else 4;
/// <c>documents.bin</c>, for each document and once more for the end the index of its first token, doubled, plus 1 for
/// a conversation; and, where there are conversations, <c>replies.bin</c>, one bit a token.
/// </remarks>
public sealed class TokenFile : IDisposable
{
    internal const int FormatVersion = 1;
    internal const string FactsName = "facts.json";
    internal const string TokensName = "tokens.bin";
    internal const string DocumentsName = "documents.bin";
    internal const string RepliesName = "replies.bin";

    private readonly string _folder;
    private readonly MappedFile _tokens;
    private readonly MappedFile _documents;
    private readonly MappedFile? _replies;
    private readonly bool _narrow;

    private TokenFile(string folder, TokenFileFacts facts)
    {
        _folder = folder;
        Facts = facts;
        _narrow = IsNarrow(facts.VocabularySize);
        _tokens = MappedFile.Open(Path.Combine(folder, TokensName));
        _documents = MappedFile.Open(Path.Combine(folder, DocumentsName));
        string replies = Path.Combine(folder, RepliesName);
        _replies = File.Exists(replies) ? MappedFile.Open(replies) : null;
    }

    /// <summary>Gets what the file holds and was made from.</summary>
    public TokenFileFacts Facts { get; }

    /// <summary>Gets the number of documents.</summary>
    public int Documents => (int)Facts.Documents;

    /// <summary>Gets the number of tokens.</summary>
    public long Tokens => Facts.Tokens;

    /// <summary>Opens a folder that <see cref="TokenCache"/> has written.</summary>
    /// <exception cref="InvalidDataException">The files don't fit together.</exception>
    public static TokenFile Open(string folder)
    {
        TokenFileFacts facts = ReadFacts(folder);
        TokenFile file = new(folder, facts);
        try
        {
            file.Check();
        }
        catch
        {
            file.Dispose();
            throw;
        }

        return file;
    }

    /// <summary>
    /// Returns the index of a document's first token; for the number of documents, the number of tokens.
    /// </summary>
    public long Start(int document) => Values<long>(_documents, document, 1)[0] >> 1;

    /// <summary>Returns the number of a document's tokens.</summary>
    public long Length(int document) => Start(document + 1) - Start(document);

    /// <summary>Returns whether a document is a conversation.</summary>
    public bool IsChat(int document) => (Values<long>(_documents, document, 1)[0] & 1) != 0;

    /// <summary>Returns the document that a token belongs to.</summary>
    public int DocumentOf(long token)
    {
        int low = 0, high = Documents - 1;
        while (low < high)
        {
            int middle = low + ((high - low + 1) / 2);
            (low, high) = Start(middle) <= token ? (middle, high) : (low, middle - 1);
        }

        return low;
    }

    /// <summary>Copies ids out.</summary>
    /// <exception cref="InvalidDataException">An id is not in the vocabulary: the file was changed.</exception>
    public void Read(long start, Span<int> ids)
    {
        if (_narrow)
        {
            ReadOnlySpan<ushort> stored = Values<ushort>(_tokens, start, ids.Length);
            for (int i = 0; i < ids.Length; i++)
            {
                ids[i] = stored[i];
            }
        }
        else
        {
            Values<int>(_tokens, start, ids.Length).CopyTo(ids);
        }

        // The model looks ids up without a check of its own.
        foreach (int id in ids)
        {
            if ((uint)id >= (uint)Facts.VocabularySize)
            {
                throw Damaged($"{TokensName}: the id {id} is not below {Facts.VocabularySize}");
            }
        }
    }

    /// <summary>Returns whether a token is the assistant's to say.</summary>
    public bool IsReply(long token) =>
        _replies is not null && (_replies.Bytes(token >> 3, 1)[0] >> (int)(token & 7) & 1) != 0;

    /// <inheritdoc/>
    public void Dispose()
    {
        _tokens.Dispose();
        _documents.Dispose();
        _replies?.Dispose();
    }

    internal static bool IsNarrow(int vocabularySize) => vocabularySize <= ushort.MaxValue + 1;

    private static ReadOnlySpan<T> Values<T>(MappedFile file, long index, int count)
        where T : unmanaged
    {
        int size = Unsafe.SizeOf<T>();
        return MemoryMarshal.Cast<byte, T>(file.Bytes(index * size, checked(count * size)));
    }

    private static TokenFileFacts ReadFacts(string folder)
    {
        string path = Path.Combine(folder, FactsName);
        try
        {
            using FileStream stream = File.OpenRead(path);
            return JsonSerializer.Deserialize<TokenFileFacts>(stream, DataJson.Options)
                ?? throw new InvalidDataException($"{path}: empty; delete the folder, and it is made again");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}; delete the folder, and it is made again", e);
        }
    }

    private void Check()
    {
        long width = _narrow ? 2 : 4, documents = Facts.Documents;
        Require(Facts.FormatVersion == FormatVersion,
            $"{FactsName}: version {Facts.FormatVersion}, wanted {FormatVersion}");
        Require(documents is >= 0 and < int.MaxValue, $"{FactsName}: {documents} documents");
        Require(_tokens.Length == Facts.Tokens * width,
            $"{TokensName}: {_tokens.Length} bytes for {Facts.Tokens} tokens");
        Require(_documents.Length == (documents + 1) * 8,
            $"{DocumentsName}: {_documents.Length} bytes for {documents} documents");
        Require(_replies is null || _replies.Length == (Facts.Tokens + 7) / 8,
            $"{RepliesName}: {_replies?.Length} bytes");
        long last = 0;
        for (int i = 0; i <= documents; i++)
        {
            long start = Start(i);
            Require(start >= last, $"{DocumentsName}: document {i} starts at {start} after {last}");
            last = start;
        }

        Require(Start(0) == 0 && last == Facts.Tokens, $"{DocumentsName}: ends at {last} of {Facts.Tokens} tokens");
    }

    private void Require(bool holds, string wrong)
    {
        if (!holds)
        {
            throw Damaged(wrong);
        }
    }

    private InvalidDataException Damaged(string wrong) =>
        new($"token cache {_folder}: {wrong}; delete the folder, and it is made again");
}
