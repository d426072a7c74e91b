namespace Tessera.Training.Data;

/// <summary>Says how documents become the rows of a batch.</summary>
public enum DocumentMode
{
    /// <summary>
    /// Each document is a segment of its own that attends to nothing else. One that is longer than a sequence, or that
    /// reaches the end of the batch, is split: what follows begins a segment of its own. A conversation is never split:
    /// it is cut to the length of a sequence, and begins the next batch where it doesn't fit into this one.
    /// </summary>
    Separate,

    /// <summary>
    /// All documents, each behind the id that ends a text, are one stream that is cut into sequences without regard to
    /// where documents begin; attention crosses them.
    /// </summary>
    Across,

    /// <summary>
    /// As <see cref="Across"/>, but the documents stay in their files' order and each sequence begins at a random place
    /// of the stream, with replacement: for few, long texts.
    /// </summary>
    Windows,
}
