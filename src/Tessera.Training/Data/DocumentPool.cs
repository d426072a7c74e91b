namespace Tessera.Training.Data;

/// <summary>Holds the files that are drawn from as one: a source, or all sources where none states a weight.</summary>
public sealed class DocumentPool
{
    private readonly int[] _firstDocument;
    private readonly long[] _firstRow;

    /// <summary>Makes a pool of files, which stay their owner's.</summary>
    /// <param name="name">The name in messages and in the manifest.</param>
    /// <param name="files">The files, at least one with a document.</param>
    /// <param name="repliesOnly">Whether only the assistant's words are learned of conversations.</param>
    /// <exception cref="InvalidDataException">There is no document.</exception>
    public DocumentPool(string name, IReadOnlyList<TokenFile> files, bool repliesOnly = true)
    {
        (Name, Files, RepliesOnly) = (name, files, repliesOnly);
        _firstDocument = new int[files.Count + 1];
        _firstRow = new long[files.Count + 1];
        for (int i = 0; i < files.Count; i++)
        {
            _firstDocument[i + 1] = checked(_firstDocument[i] + files[i].Documents);
            _firstRow[i + 1] = _firstRow[i] + files[i].Tokens + files[i].Documents;
        }

        if (Documents == 0)
        {
            throw new InvalidDataException($"data: {name} holds no document with a word in it");
        }
    }

    /// <summary>Gets the name.</summary>
    public string Name { get; }

    /// <summary>Gets the files.</summary>
    public IReadOnlyList<TokenFile> Files { get; }

    /// <summary>Gets whether only the assistant's words are learned of conversations.</summary>
    public bool RepliesOnly { get; }

    /// <summary>Gets the number of documents.</summary>
    public int Documents => _firstDocument[^1];

    /// <summary>Gets the number of rows of one pass: every token, and one more for each document.</summary>
    public long Rows => _firstRow[^1];

    /// <summary>Returns the file and the document in it that stand at an index of the pool.</summary>
    public (TokenFile File, int Document) Locate(int index)
    {
        int file = FileOf(_firstDocument, index);
        return (Files[file], index - _firstDocument[file]);
    }

    /// <summary>Returns the document, and the row of it, at a row of all documents in the files' order.</summary>
    internal (int Index, long Row) LocateRow(long row)
    {
        int file = FileOf(_firstRow, row), low = 0, high = Files[file].Documents - 1;
        long within = row - _firstRow[file];
        while (low < high)
        {
            int middle = low + ((high - low + 1) / 2);
            (low, high) = Files[file].Start(middle) + middle <= within ? (middle, high) : (low, middle - 1);
        }

        return (_firstDocument[file] + low, within - Files[file].Start(low) - low);
    }

    private static int FileOf<T>(T[] firsts, T index)
        where T : IComparable<T>
    {
        // The last file that begins at or before the index: files without a document are passed over.
        int file = firsts.Length - 2;
        while (firsts[file].CompareTo(index) > 0)
        {
            file--;
        }

        return file;
    }
}
