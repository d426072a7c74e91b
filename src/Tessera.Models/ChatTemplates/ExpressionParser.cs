using System.Globalization;
using System.Text;

namespace Tessera.Models.ChatTemplates;

/// <summary>
/// Parses expressions with Jinja's precedence: choice, or, and, not, comparison, +, ~, *, sign, then filters and tests.
/// </summary>
internal sealed class ExpressionParser(TokenStream stream)
{
    /// <summary>Parses one expression.</summary>
    public Expression Parse() => Nested(() => ParseChoice(withChoice: true));

    /// <summary>Parses one expression, or several with commas as a tuple.</summary>
    public Expression ParseTuple(bool withChoice = true)
    {
        Expression first = Nested(() => ParseChoice(withChoice));
        if (!stream.IsOperator(","))
        {
            return first;
        }

        List<Expression> items = [first];
        while (stream.TryOperator(",") && !AtTupleEnd())
        {
            items.Add(Nested(() => ParseChoice(withChoice)));
        }

        return new Expression.Items(items, IsTuple: true);
    }

    /// <summary>Parses what is assigned to: names, or an attribute of a namespace.</summary>
    public Expression ParseTarget(bool withAttribute)
    {
        List<Expression> names = [];
        bool isTuple = false;
        bool bracket = stream.TryOperator("(");
        do
        {
            string name = stream.Expect(TokenKind.Name, "a name").Value;
            if (withAttribute && stream.TryOperator("."))
            {
                string attribute = stream.Expect(TokenKind.Name, "a name").Value;
                return new Expression.Attribute(new Expression.Name(name), attribute);
            }

            names.Add(new Expression.Name(name));
            isTuple |= stream.IsOperator(",");
        }
        while (stream.TryOperator(",") && stream.Next.Kind == TokenKind.Name && !stream.IsName("in"));

        if (bracket)
        {
            stream.Expect(")");
        }

        return isTuple ? new Expression.Items(names, IsTuple: true) : names[0];
    }

    /// <summary>Parses filters after a value: <c>| name(arguments)</c>, or the first without the bar.</summary>
    public List<Expression.Filter> ParseFilters(bool firstWithoutBar)
    {
        List<Expression.Filter> filters = [];
        while ((firstWithoutBar && filters.Count == 0) || stream.TryOperator("|"))
        {
            filters.Add(ParseFilter(null));
        }

        return filters;
    }

    private Expression Nested(Func<Expression> parse)
    {
        stream.Enter();
        Expression expression = parse();
        stream.Leave();
        return expression;
    }

    private bool AtTupleEnd() => stream.Next.Kind is TokenKind.BlockEnd or TokenKind.OutputEnd
        || stream.IsOperator(")") || stream.IsOperator("]") || stream.IsOperator("=") || stream.IsName("in");

    private Expression ParseChoice(bool withChoice)
    {
        Expression expression = ParseOr();
        while (withChoice && stream.TryName("if"))
        {
            Expression condition = ParseOr();
            Expression? otherwise = stream.TryName("else") ? Parse() : null;
            expression = new Expression.Choice(condition, expression, otherwise);
        }

        return expression;
    }

    private Expression ParseOr()
    {
        Expression left = ParseAnd();
        while (stream.TryName("or"))
        {
            left = new Expression.Or(left, ParseAnd());
        }

        return left;
    }

    private Expression ParseAnd()
    {
        Expression left = ParseNot();
        while (stream.TryName("and"))
        {
            left = new Expression.And(left, ParseNot());
        }

        return left;
    }

    private Expression ParseNot() =>
        stream.TryName("not") ? new Expression.Not(Nested(ParseNot)) : ParseComparison();

    private Expression ParseComparison()
    {
        Expression first = ParseSum();
        List<(string Operation, Expression Right)> rest = [];
        while (TryComparison() is string operation)
        {
            rest.Add((operation, ParseSum()));
        }

        return rest.Count == 0 ? first : new Expression.Comparison(first, rest);
    }

    private string? TryComparison()
    {
        if (stream.Next is { Kind: TokenKind.Operator, Value: "==" or "!=" or "<" or "<=" or ">" or ">=" })
        {
            return stream.Take().Value;
        }

        if (stream.AreNames("not", "in"))
        {
            stream.Take();
            stream.Take();
            return "not in";
        }

        return stream.TryName("in") ? "in" : null;
    }

    private Expression ParseSum() => ParseBinary(ParseJoin, "+", "-");

    private Expression ParseJoin() => ParseBinary(ParseProduct, "~");

    private Expression ParseProduct() => ParseBinary(() => ParseSigned(withFilters: true), "*", "/", "//", "%");

    private Expression ParseBinary(Func<Expression> operand, params string[] operations)
    {
        Expression left = operand();
        while (stream.Next.Kind == TokenKind.Operator && operations.Contains(stream.Next.Value))
        {
            string operation = stream.Take().Value;
            left = new Expression.Binary(operation, left, operand());
        }

        return left;
    }

    private Expression ParseSigned(bool withFilters)
    {
        Expression value = stream.TryOperator("-")
            ? new Expression.Negative(Nested(() => ParseSigned(withFilters: false)))
            : stream.TryOperator("+") ? Nested(() => ParseSigned(withFilters: false)) : ParsePrimary();
        value = ParsePostfix(value);
        return withFilters ? ParseFiltersAndTests(value) : value;
    }

    private Expression ParsePrimary()
    {
        TemplateToken token = stream.Take();
        switch (token.Kind)
        {
            case TokenKind.Name:
                return token.Value switch
                {
                    "true" or "True" => new Expression.Literal(true),
                    "false" or "False" => new Expression.Literal(false),
                    "none" or "None" => new Expression.Literal(null),
                    _ => new Expression.Name(token.Value),
                };
            case TokenKind.String:
                StringBuilder text = new(token.Value);
                while (stream.Next.Kind == TokenKind.String)
                {
                    text.Append(stream.Take().Value);
                }

                return new Expression.Literal(Text.OfTemplate(text.ToString()));
            case TokenKind.Whole when long.TryParse(token.Value, CultureInfo.InvariantCulture, out long whole):
                return new Expression.Literal(whole);
            case TokenKind.Float:
                return new Expression.Literal(double.Parse(token.Value, CultureInfo.InvariantCulture));
            case TokenKind.Operator when token.Value == "(":
                return ParseBracketed();
            case TokenKind.Operator when token.Value == "[":
                return new Expression.Items(ParseItems("]"), IsTuple: false);
            case TokenKind.Operator when token.Value == "{":
                return ParseDictionary();
            default:
                throw stream.Error($"'{token.Value}', wanted a value");
        }
    }

    private Expression ParseBracketed()
    {
        if (stream.TryOperator(")"))
        {
            return new Expression.Items([], IsTuple: true);
        }

        Expression value = ParseTuple();
        stream.Expect(")");
        return value;
    }

    private List<Expression> ParseItems(string end)
    {
        List<Expression> items = [];
        while (!stream.TryOperator(end))
        {
            if (items.Count > 0)
            {
                stream.Expect(",");
                if (stream.TryOperator(end))
                {
                    break;
                }
            }

            items.Add(Parse());
        }

        return items;
    }

    private Expression.Dictionary ParseDictionary()
    {
        List<(Expression Key, Expression Value)> entries = [];
        while (!stream.TryOperator("}"))
        {
            if (entries.Count > 0)
            {
                stream.Expect(",");
                if (stream.TryOperator("}"))
                {
                    break;
                }
            }

            Expression key = Parse();
            stream.Expect(":");
            entries.Add((key, Parse()));
        }

        return new Expression.Dictionary(entries);
    }

    private Expression ParsePostfix(Expression value)
    {
        while (true)
        {
            if (stream.TryOperator("."))
            {
                value = stream.Next.Kind == TokenKind.Whole
                    ? new Expression.Item(value, ParsePrimary())
                    : new Expression.Attribute(value, stream.Expect(TokenKind.Name, "a name").Value);
            }
            else if (stream.TryOperator("["))
            {
                value = ParseSubscript(value);
            }
            else if (stream.IsOperator("("))
            {
                value = new Expression.Call(value, ParseArguments());
            }
            else
            {
                return value;
            }
        }
    }

    private Expression ParseSubscript(Expression target)
    {
        Expression? start = stream.IsOperator(":") ? null : ParseTuple();
        if (stream.TryOperator("]"))
        {
            return new Expression.Item(target, start!);
        }

        stream.Expect(":");
        Expression? stop = stream.IsOperator(":") || stream.IsOperator("]") ? null : Parse();
        Expression? step = stream.TryOperator(":") && !stream.IsOperator("]") ? Parse() : null;
        stream.Expect("]");
        return new Expression.Slice(target, start, stop, step);
    }

    private CallArguments ParseArguments()
    {
        stream.Expect("(");
        List<Expression> positional = [];
        List<(string Name, Expression Value)> named = [];
        while (!stream.TryOperator(")"))
        {
            if (positional.Count + named.Count > 0)
            {
                stream.Expect(",");
                if (stream.TryOperator(")"))
                {
                    break;
                }
            }

            if (stream.IsNamed())
            {
                string name = stream.Take().Value;
                stream.Expect("=");
                named.Add((name, Parse()));
            }
            else
            {
                positional.Add(named.Count == 0 ? Parse() : throw stream.Error("an argument without a name"));
            }
        }

        return new CallArguments(positional, named);
    }

    private Expression ParseFiltersAndTests(Expression value)
    {
        while (true)
        {
            if (stream.TryOperator("|"))
            {
                value = ParseFilter(value);
            }
            else if (stream.TryName("is"))
            {
                value = ParseTest(value);
            }
            else if (stream.IsOperator("("))
            {
                value = new Expression.Call(value, ParseArguments());
            }
            else
            {
                return value;
            }
        }
    }

    private Expression.Filter ParseFilter(Expression? value)
    {
        string name = stream.Expect(TokenKind.Name, "a filter").Value;
        return new Expression.Filter(value, name, stream.IsOperator("(") ? ParseArguments() : CallArguments.None);
    }

    private Expression ParseTest(Expression value)
    {
        bool negated = stream.TryName("not");
        string name = stream.Expect(TokenKind.Name, "a test").Value;
        CallArguments arguments = CallArguments.None;
        if (stream.IsName("is"))
        {
            throw stream.Error("tests can't be chained");
        }

        if (stream.IsOperator("("))
        {
            arguments = ParseArguments();
        }
        else if (HasArgument())
        {
            arguments = new CallArguments([ParsePostfix(ParsePrimary())], []);
        }

        Expression test = new Expression.Test(value, name, arguments);
        return negated ? new Expression.Not(test) : test;
    }

    // An argument may follow a test without brackets, as in "is divisibleby 3".
    private bool HasArgument() => stream.Next.Kind switch
    {
        TokenKind.Name => stream.Next.Value is not ("else" or "or" or "and" or "is" or "if" or "in" or "not"),
        TokenKind.String or TokenKind.Whole or TokenKind.Float => true,
        TokenKind.Operator => stream.Next.Value is "[" or "{",
        _ => false,
    };
}
