namespace Tessera.Disturbed;

/// <summary>Says which values of a JSON file are disturbed.</summary>
[Flags]
internal enum Leaves
{
    None = 0,

    /// <summary>Every number with a point or an exponent.</summary>
    Floats = 1,

    /// <summary>Every whole number that is a field of its own, and the last one of a list.</summary>
    Integers = 2,

    /// <summary>Every string that is a field of its own, and the last one of a list.</summary>
    Strings = 4,
}
