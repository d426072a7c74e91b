namespace Tessera.Models.ChatTemplates;

/// <summary>Goes through a template's tokens and bounds how deep they are nested.</summary>
internal sealed class TokenStream(string template, List<TemplateToken> tokens)
{
    // Deeper nesting than any real template's, and little enough for the stack.
    private const int Deepest = 100;

    private int _position;
    private int _depth;

    /// <summary>Gets the token that comes next.</summary>
    public TemplateToken Next => tokens[_position];

    /// <summary>Returns the token that comes next, and goes on.</summary>
    public TemplateToken Take() => tokens[_position < tokens.Count - 1 ? _position++ : _position];

    /// <summary>Returns whether an operator comes next.</summary>
    public bool IsOperator(string operation) => Next.Kind == TokenKind.Operator && Next.Value == operation;

    /// <summary>Returns whether a name comes next.</summary>
    public bool IsName(string name) => Next.Kind == TokenKind.Name && Next.Value == name;

    /// <summary>Returns whether two names come next.</summary>
    public bool AreNames(string first, string second) =>
        IsName(first) && tokens[_position + 1] is { Kind: TokenKind.Name } after && after.Value == second;

    /// <summary>Returns whether a name and an operator come next.</summary>
    public bool IsNamed() =>
        Next.Kind == TokenKind.Name && tokens[_position + 1] is { Kind: TokenKind.Operator, Value: "=" };

    /// <summary>Goes on if an operator comes next.</summary>
    public bool TryOperator(string operation) => TakeIf(IsOperator(operation));

    /// <summary>Goes on if a name comes next.</summary>
    public bool TryName(string name) => TakeIf(IsName(name));

    /// <summary>Goes on past an operator, which must come next.</summary>
    public void Expect(string operation)
    {
        if (!TryOperator(operation))
        {
            throw Error($"'{Next.Value}', wanted '{operation}'");
        }
    }

    /// <summary>Goes on past a token of a kind, which must come next.</summary>
    public TemplateToken Expect(TokenKind kind, string wanted) =>
        Next.Kind == kind ? Take() : throw Error($"'{Next.Value}', wanted {wanted}");

    /// <summary>Makes an error in the line of the next token.</summary>
    public ChatTemplateException Error(string problem) => new(template, Next.Line, problem);

    /// <summary>Enters a level of nesting.</summary>
    public void Enter()
    {
        if (++_depth > Deepest)
        {
            throw Error($"nested more than {Deepest} deep");
        }
    }

    /// <summary>Leaves a level of nesting.</summary>
    public void Leave() => _depth--;

    private bool TakeIf(bool condition)
    {
        if (condition)
        {
            Take();
        }

        return condition;
    }
}
