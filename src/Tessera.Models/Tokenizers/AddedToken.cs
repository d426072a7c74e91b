namespace Tessera.Models.Tokenizers;

/// <summary>Describes a token that is found in the text as it stands, before the text is split into words.</summary>
public sealed record AddedToken
{
    /// <summary>Gets the token's id.</summary>
    public required int Id { get; init; }

    /// <summary>Gets the token's text, such as <c>&lt;|im_end|&gt;</c>.</summary>
    public required string Text { get; init; }

    /// <summary>Gets whether it is a control token, which user text never makes.</summary>
    public bool IsSpecial { get; init; } = true;

    /// <summary>Gets whether it is found only where no word character stands beside it.</summary>
    public bool SingleWord { get; init; }

    /// <summary>Gets whether it takes the white space before it.</summary>
    public bool StripsLeft { get; init; }

    /// <summary>Gets whether it takes the white space after it.</summary>
    public bool StripsRight { get; init; }

    /// <summary>
    /// Gets whether it is looked for after normalisation, and so only where no other added token was found.
    /// </summary>
    public bool Normalized { get; init; }
}
