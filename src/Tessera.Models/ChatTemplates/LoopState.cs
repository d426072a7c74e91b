namespace Tessera.Models.ChatTemplates;

/// <summary>Holds what a loop tells of its round: the variable <c>loop</c>.</summary>
internal sealed class LoopState(List<object?> items)
{
    /// <summary>Gets or sets the round, from 0.</summary>
    public int Round { get; set; }

    /// <summary>Returns an attribute by its name.</summary>
    public object? Attribute(string name) => name switch
    {
        "index" => Round + 1L,
        "index0" => (long)Round,
        "revindex" => (long)(items.Count - Round),
        "revindex0" => items.Count - Round - 1L,
        "first" => Round == 0,
        "last" => Round == items.Count - 1,
        "length" => (long)items.Count,
        "previtem" => Round > 0 ? items[Round - 1] : new Undefined("there is no previous item"),
        "nextitem" => Round + 1 < items.Count ? items[Round + 1] : new Undefined("there is no next item"),
        _ => new Undefined($"loop has no attribute '{name}'"),
    };
}
