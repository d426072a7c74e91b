namespace Tessera.Tidy.Tests.Source;

/// <summary>Says what a declaration is, as far as the rules need to know.</summary>
internal enum MemberKind
{
    /// <summary>A class, struct, interface, record, enum or delegate.</summary>
    Type,

    /// <summary>Code: a method, constructor, operator, property, indexer or event.</summary>
    Function,

    /// <summary>A field, a constant or a member of an enum.</summary>
    Value,
}
