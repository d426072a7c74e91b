using Tessera.Models.ChatTemplates;

namespace Tessera.Training.Data;

/// <summary>
/// Holds one document, or one part of a long text, as it comes from a file. The object is reused for the next.
/// </summary>
public sealed class Document
{
    /// <summary>Gets the text in UTF-8; empty for a conversation.</summary>
    public ReadOnlyMemory<byte> Text { get; internal set; }

    /// <summary>Gets the messages of a conversation; none for a text.</summary>
    public IReadOnlyList<ChatTurn> Turns { get; internal set; } = [];

    /// <summary>
    /// Gets whether more parts of this document follow. Parts are cut where no splitting expression joins.
    /// </summary>
    public bool Continues { get; internal set; }

    /// <summary>Gets where the data says that the document comes from; null where it says nothing.</summary>
    public string? Source { get; internal set; }

    /// <summary>Gets the licence that the data states; null where it states none.</summary>
    public string? Licence { get; internal set; }

    /// <summary>Gets the line of the file that the document, or this part, begins in, from 1.</summary>
    public long Line { get; internal set; }

    /// <summary>Gets whether this is a conversation.</summary>
    public bool IsChat => Turns.Count > 0;
}
