namespace Tessera.Models.Tokenizers;

/// <summary>Takes a whole text as one word.</summary>
internal readonly struct NoSplitter : ISplitter
{
    /// <inheritdoc/>
    public static int WordEnd(ReadOnlySpan<byte> text, int start) => text.Length;
}
