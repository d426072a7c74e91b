namespace Tessera.Training.Data;

/// <summary>Writes rows of a document into a batch: each a token and the token that it should predict.</summary>
internal static class DocumentRows
{
    /// <summary>Appends rows; the caller ends the segment.</summary>
    /// <param name="file">The file.</param>
    /// <param name="document">The document in it.</param>
    /// <param name="row">The first row.</param>
    /// <param name="count">The number of rows.</param>
    /// <param name="endOfText">The id before and behind a text.</param>
    /// <param name="bare">Whether the document stands without that id: its first token is the first row.</param>
    /// <param name="repliesOnly">Whether only the assistant's tokens are labels.</param>
    /// <param name="batch">The batch.</param>
    /// <returns>The labels that were written.</returns>
    public static Span<int> Write(
        TokenFile file, int document, long row, int count, int endOfText, bool bare, bool repliesOnly, Batch batch)
    {
        (Memory<int> tokensMemory, Memory<int> labelsMemory) = batch.Extend(count);
        Span<int> tokens = tokensMemory.Span, labels = labelsMemory.Span;
        long length = file.Length(document), start = file.Start(document);

        // The token of row r predicts the document's token `first + r`.
        long first = row + (bare ? 1 : 0);
        int lead = first == 0 ? 1 : 0;
        tokens[..lead].Fill(endOfText);
        file.Read(start + first - 1 + lead, tokens[lead..]);

        int inside = (int)Math.Min(count, length - first);
        file.Read(start + first, labels[..inside]);
        labels[inside..].Fill(repliesOnly ? Batch.Masked : endOfText);
        for (int i = 0; repliesOnly && i < inside; i++)
        {
            labels[i] = file.IsReply(start + first + i) ? labels[i] : Batch.Masked;
        }

        return labels;
    }
}
