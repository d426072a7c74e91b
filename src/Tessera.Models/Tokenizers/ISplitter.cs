namespace Tessera.Models.Tokenizers;

/// <summary>
/// Finds the words of a UTF-8 text. A type parameter, so that the encoder's loop is compiled once for each and calls
/// nothing through a table. All but <see cref="NoSplitter"/> end a word wherever a letter is followed by something
/// else, and none looks back, so that a text can be cut there (<see cref="Splitters.SafeCut"/>) without changing any
/// word.
/// </summary>
internal interface ISplitter
{
    /// <summary>Returns the end of the word that starts at a position before the text's end.</summary>
    static abstract int WordEnd(ReadOnlySpan<byte> text, int start);
}
