namespace Tessera.Models.ChatTemplates;

/// <summary>Names the kinds of a template's tokens.</summary>
internal enum TokenKind
{
    /// <summary>Text outside of tags.</summary>
    Data,

    /// <summary>The begin of a statement.</summary>
    BlockBegin,

    /// <summary>The end of a statement.</summary>
    BlockEnd,

    /// <summary>The begin of an expression that is written out.</summary>
    OutputBegin,

    /// <summary>The end of an expression that is written out.</summary>
    OutputEnd,

    /// <summary>A name or keyword.</summary>
    Name,

    /// <summary>A string, its escapes resolved.</summary>
    String,

    /// <summary>A whole number.</summary>
    Whole,

    /// <summary>A number with a point or an exponent.</summary>
    Float,

    /// <summary>An operator or bracket.</summary>
    Operator,

    /// <summary>The template's end.</summary>
    End,
}

/// <summary>Holds a token and its line.</summary>
internal readonly record struct TemplateToken(TokenKind Kind, string Value, int Line);
