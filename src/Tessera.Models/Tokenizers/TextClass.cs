namespace Tessera.Models.Tokenizers;

/// <summary>
/// Names the classes of characters that the splitting expressions tell apart: \p{L}, \p{N}, \s and the rest.
/// </summary>
internal enum TextClass : byte
{
    /// <summary>Neither letter, number nor white space; bytes that are not UTF-8 count here, as U+FFFD does.</summary>
    Other,

    /// <summary>\p{L}.</summary>
    Letter,

    /// <summary>\p{N}.</summary>
    Number,

    /// <summary>\s, which is Unicode's White_Space.</summary>
    Space,
}
