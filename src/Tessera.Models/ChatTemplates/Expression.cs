namespace Tessera.Models.ChatTemplates;

/// <summary>Is a node of a template's expressions.</summary>
internal abstract record Expression
{
    /// <summary>A value that stands in the template.</summary>
    public sealed record Literal(object? Value) : Expression;

    /// <summary>A variable.</summary>
    public sealed record Name(string Id) : Expression;

    /// <summary>A list or tuple.</summary>
    public sealed record Items(List<Expression> Values, bool IsTuple) : Expression;

    /// <summary>A dictionary.</summary>
    public sealed record Dictionary(List<(Expression Key, Expression Value)> Entries) : Expression;

    /// <summary>An attribute: <c>target.name</c>.</summary>
    public sealed record Attribute(Expression Target, string Id) : Expression;

    /// <summary>An item: <c>target[index]</c>.</summary>
    public sealed record Item(Expression Target, Expression Index) : Expression;

    /// <summary>A slice: <c>target[start:stop:step]</c>.</summary>
    public sealed record Slice(Expression Target, Expression? Start, Expression? Stop, Expression? Step) : Expression;

    /// <summary>A call.</summary>
    public sealed record Call(Expression Target, CallArguments Arguments) : Expression;

    /// <summary>A filter: <c>target | name(arguments)</c>; without a target in a filter block.</summary>
    public sealed record Filter(Expression? Target, string Id, CallArguments Arguments) : Expression;

    /// <summary>A test: <c>target is name arguments</c>.</summary>
    public sealed record Test(Expression Target, string Id, CallArguments Arguments) : Expression;

    /// <summary>A sign.</summary>
    public sealed record Negative(Expression Value) : Expression;

    /// <summary>A negation.</summary>
    public sealed record Not(Expression Value) : Expression;

    /// <summary>An operator between two values.</summary>
    public sealed record Binary(string Operation, Expression Left, Expression Right) : Expression;

    /// <summary>Comparisons in a chain, as in <c>a &lt; b &lt; c</c>.</summary>
    public sealed record Comparison(Expression First, List<(string Operation, Expression Right)> Rest) : Expression;

    /// <summary>The first false value, or the last.</summary>
    public sealed record And(Expression Left, Expression Right) : Expression;

    /// <summary>The first true value, or the last.</summary>
    public sealed record Or(Expression Left, Expression Right) : Expression;

    /// <summary>A choice: <c>then if condition else otherwise</c>.</summary>
    public sealed record Choice(Expression Condition, Expression Then, Expression? Otherwise) : Expression;
}

/// <summary>Holds the arguments of a call as they stand in the template.</summary>
internal sealed record CallArguments(List<Expression> Positional, List<(string Name, Expression Value)> Named)
{
    /// <summary>No arguments.</summary>
    public static readonly CallArguments None = new([], []);
}
