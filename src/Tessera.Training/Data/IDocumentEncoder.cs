using Tessera.Models.ChatTemplates;

namespace Tessera.Training.Data;

/// <summary>Turns documents into token ids: the seam between the data and a tokenizer.</summary>
public interface IDocumentEncoder
{
    /// <summary>
    /// Gets a name that differs for tokenizers that give different ids, such as a hash of the tokenizer's file.
    /// </summary>
    string Fingerprint { get; }

    /// <summary>Gets the number of ids.</summary>
    int VocabularySize { get; }

    /// <summary>Gets the id that stands between documents, <c>&lt;|endoftext|&gt;</c>.</summary>
    int EndOfText { get; }

    /// <summary>Returns the bytes of text that an id stands for; none for a control token.</summary>
    ReadOnlySpan<byte> TextOf(int id);

    /// <summary>Appends the ids of a text; text that looks like a control token is text.</summary>
    void Encode(ReadOnlySpan<byte> utf8, List<int> ids);

    /// <summary>
    /// Appends the ids of a conversation and, for each, whether it is the assistant's to say: its replies and their end
    /// markers.
    /// </summary>
    void EncodeChat(IReadOnlyList<ChatTurn> turns, List<int> ids, List<bool> replies);
}
