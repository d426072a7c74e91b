namespace Tessera.Models.ChatTemplates;

/// <summary>Is a node of a template's statements, with the line that it begins in.</summary>
internal abstract record Statement(int Line)
{
    /// <summary>Text outside of tags.</summary>
    public sealed record Data(int Line, Text Text) : Statement(Line);

    /// <summary>An expression that is written out.</summary>
    public sealed record Output(int Line, Expression Value) : Statement(Line);

    /// <summary>Branches, the first true one of which is done; a condition of null is else.</summary>
    public sealed record If(int Line, List<(Expression? Condition, List<Statement> Body)> Branches) : Statement(Line);

    /// <summary>A loop over values.</summary>
    public sealed record For(
        int Line,
        Expression Target,
        Expression Values,
        Expression? Condition,
        List<Statement> Body,
        List<Statement> Otherwise) : Statement(Line);

    /// <summary>An assignment to names, or to an attribute of a namespace.</summary>
    public sealed record Set(int Line, Expression Target, Expression Value) : Statement(Line);

    /// <summary>An assignment of what a body writes, through filters.</summary>
    public sealed record SetBlock(int Line, Expression Target, List<Expression.Filter> Filters, List<Statement> Body)
        : Statement(Line);

    /// <summary>What a body writes, through filters.</summary>
    public sealed record FilterBlock(int Line, List<Expression.Filter> Filters, List<Statement> Body) : Statement(Line);

    /// <summary>A function that returns what its body writes.</summary>
    public sealed record Macro(
        int Line, string Id, List<(string Name, Expression? Usual)> Parameters, List<Statement> Body) : Statement(Line);

    /// <summary>A body whose text the model is trained to write.</summary>
    public sealed record Generation(int Line, List<Statement> Body) : Statement(Line);

    /// <summary>The end of a loop.</summary>
    public sealed record Break(int Line) : Statement(Line);

    /// <summary>The next round of a loop.</summary>
    public sealed record Continue(int Line) : Statement(Line);
}
