namespace Tessera.Models.ChatTemplates;

/// <summary>Parses the statements of a template.</summary>
internal sealed class TemplateParser
{
    private static readonly string[] _noEnds = [];

    private readonly TokenStream _stream;
    private readonly ExpressionParser _expressions;
    private int _loops;

    private TemplateParser(string template, string source)
    {
        _stream = new TokenStream(template, TemplateLexer.Read(template, source));
        _expressions = new ExpressionParser(_stream);
    }

    /// <summary>Parses a whole template.</summary>
    public static List<Statement> Parse(string template, string source) =>
        new TemplateParser(template, source).ParseBody(_noEnds);

    // Statements up to one of the ends, which is left as the next name, its begin taken.
    private List<Statement> ParseBody(params string[] ends)
    {
        _stream.Enter();
        List<Statement> body = [];
        while (_stream.Next.Kind != TokenKind.End)
        {
            TemplateToken token = _stream.Take();
            if (token.Kind == TokenKind.Data)
            {
                body.Add(new Statement.Data(token.Line, Text.OfTemplate(token.Value)));
            }
            else if (token.Kind == TokenKind.OutputBegin)
            {
                body.Add(new Statement.Output(token.Line, _expressions.ParseTuple()));
                _stream.Expect(TokenKind.OutputEnd, "'}}'");
            }
            else if (_stream.Next.Kind == TokenKind.Name && ends.Contains(_stream.Next.Value))
            {
                _stream.Leave();
                return body;
            }
            else
            {
                body.Add(ParseStatement(token.Line));
            }
        }

        _stream.Leave();
        return ends.Length == 0 ? body : throw _stream.Error($"wanted {string.Join(" or ", ends)}");
    }

    private Statement ParseStatement(int line)
    {
        string name = _stream.Expect(TokenKind.Name, "a statement").Value;
        switch (name)
        {
            case "if":
                return ParseIf(line);
            case "for":
                return ParseFor(line);
            case "set":
                return ParseSet(line);
            case "macro":
                return ParseMacro(line);
            case "filter":
                List<Expression.Filter> filters = _expressions.ParseFilters(firstWithoutBar: true);
                EndBlock();
                return new Statement.FilterBlock(line, filters, ParseBodyTo("endfilter"));
            case "generation":
                EndBlock();
                return new Statement.Generation(line, ParseBodyTo("endgeneration"));
            case "break" or "continue" when _loops > 0:
                EndBlock();
                return name == "break" ? new Statement.Break(line) : new Statement.Continue(line);
            default:
                throw _stream.Error($"the statement '{name}' is not supported here");
        }
    }

    private Statement.If ParseIf(int line)
    {
        List<(Expression? Condition, List<Statement> Body)> branches = [];
        Expression? condition = _expressions.ParseTuple();
        while (true)
        {
            EndBlock();
            List<Statement> body = condition is null ? ParseBody("endif") : ParseBody("elif", "else", "endif");
            branches.Add((condition, body));
            string end = _stream.Take().Value;
            if (end == "endif")
            {
                EndBlock();
                return new Statement.If(line, branches);
            }

            condition = end == "elif" ? _expressions.ParseTuple() : null;
        }
    }

    private Statement.For ParseFor(int line)
    {
        Expression target = _expressions.ParseTarget(withAttribute: false);
        if (!_stream.TryName("in"))
        {
            throw _stream.Error($"'{_stream.Next.Value}', wanted 'in'");
        }

        Expression values = _expressions.ParseTuple(withChoice: false);
        Expression? condition = _stream.TryName("if") ? _expressions.Parse() : null;
        EndBlock();
        _loops++;
        List<Statement> body = ParseBody("else", "endfor");
        _loops--;
        List<Statement> otherwise = [];
        if (_stream.Take().Value == "else")
        {
            EndBlock();
            otherwise = ParseBody("endfor");
            _stream.Take();
        }

        EndBlock();
        return new Statement.For(line, target, values, condition, body, otherwise);
    }

    private Statement ParseSet(int line)
    {
        Expression target = _expressions.ParseTarget(withAttribute: true);
        if (_stream.TryOperator("="))
        {
            Expression value = _expressions.ParseTuple();
            EndBlock();
            return new Statement.Set(line, target, value);
        }

        List<Expression.Filter> filters = _expressions.ParseFilters(firstWithoutBar: false);
        EndBlock();
        return new Statement.SetBlock(line, target, filters, ParseBodyTo("endset"));
    }

    private Statement.Macro ParseMacro(int line)
    {
        string name = _stream.Expect(TokenKind.Name, "a name").Value;
        List<(string Name, Expression? Usual)> parameters = [];
        _stream.Expect("(");
        while (!_stream.TryOperator(")"))
        {
            if (parameters.Count > 0)
            {
                _stream.Expect(",");
            }

            string parameter = _stream.Expect(TokenKind.Name, "a name").Value;
            parameters.Add((parameter, _stream.TryOperator("=") ? _expressions.Parse() : null));
        }

        EndBlock();
        int loops = _loops;
        _loops = 0;
        List<Statement> body = ParseBodyTo("endmacro");
        _loops = loops;
        return new Statement.Macro(line, name, parameters, body);
    }

    private List<Statement> ParseBodyTo(string end)
    {
        List<Statement> body = ParseBody(end);
        _stream.Take();

        // An end may repeat the name of what it ends.
        if (_stream.Next.Kind == TokenKind.Name)
        {
            _stream.Take();
        }

        EndBlock();
        return body;
    }

    private void EndBlock() => _stream.Expect(TokenKind.BlockEnd, "'%}'");
}
