namespace Tessera.Models.ChatTemplates;

/// <summary>
/// Holds values in order. Which kind it is decides what Python would do with it beyond going through it.
/// </summary>
internal sealed class Sequence(List<object?> items, Sequence.Kind kind = Sequence.Kind.List)
{
    private bool _used;

    /// <summary>Names the kinds of Python.</summary>
    public enum Kind
    {
        /// <summary>A list.</summary>
        List,

        /// <summary>A tuple.</summary>
        Tuple,

        /// <summary>A range of whole numbers.</summary>
        Range,

        /// <summary>The keys, values or items of a dictionary.</summary>
        View,

        /// <summary>A generator: it can be gone through once, and has no length.</summary>
        Generator,
    }

    /// <summary>Gets the kind.</summary>
    public Kind Is => kind;

    /// <summary>Gets the values.</summary>
    public List<object?> Items => items;

    /// <summary>Gets whether it has a length and can be indexed.</summary>
    public bool IsIndexed => kind <= Kind.Range;

    /// <summary>Returns the values to go through; a generator has none the second time.</summary>
    public List<object?> Take()
    {
        bool again = _used && kind == Kind.Generator;
        _used = true;
        return again ? [] : items;
    }
}
