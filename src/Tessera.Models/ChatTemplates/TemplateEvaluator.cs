namespace Tessera.Models.ChatTemplates;

/// <summary>Does a template's statements, within a budget of steps and characters.</summary>
internal sealed partial class TemplateEvaluator(string template, Budget budget)
{
    // Macros that call each other and long chains of operators use the stack; real templates stay below fifty.
    private const int Deepest = 300;

    private readonly TemplateFilters _filters = new(budget);
    private TextBuilder _output = new();
    private int _line = 1;
    private int _depth;

    private enum Flow
    {
        Next,
        Break,
        Continue,
    }

    /// <summary>Renders a template with its variables.</summary>
    public RenderedChat Render(List<Statement> statements, Scope variables)
    {
        try
        {
            Execute(statements, new Scope(variables));
            return _output.ToChat();
        }
        catch (TemplateError error)
        {
            throw new ChatTemplateException(template, _line, error.Message);
        }
    }

    private Flow Execute(List<Statement> statements, Scope scope)
    {
        Enter();
        Flow flow = Flow.Next;
        for (int i = 0; i < statements.Count && flow == Flow.Next; i++)
        {
            budget.Spend();
            _line = statements[i].Line;
            flow = Execute(statements[i], scope);
        }

        _depth--;
        return flow;
    }

    private Flow Execute(Statement statement, Scope scope)
    {
        switch (statement)
        {
            case Statement.Data data:
                Write(data.Text);
                return Flow.Next;
            case Statement.Output output:
                Write(PythonText.Of(Evaluate(output.Value, scope), budget));
                return Flow.Next;
            case Statement.If choice:
                return ExecuteIf(choice, scope);
            case Statement.For loop:
                ExecuteFor(loop, scope);
                return Flow.Next;
            case Statement.Set set:
                Assign(set.Target, Evaluate(set.Value, scope), scope);
                return Flow.Next;
            case Statement.SetBlock set:
                Assign(set.Target, Filtered(set.Filters, Captured(set.Body, new Scope(scope)), scope), scope);
                return Flow.Next;
            case Statement.FilterBlock block:
                Text captured = Captured(block.Body, new Scope(scope));
                Write(PythonText.Of(Filtered(block.Filters, captured, scope), budget));
                return Flow.Next;
            case Statement.Macro macro:
                scope.Set(macro.Id, new Callable(macro.Id, arguments => CallMacro(macro, arguments, scope)));
                return Flow.Next;
            case Statement.Generation generation:
                return Execute(generation.Body, scope);
            case Statement.Break:
                return Flow.Break;
            default:
                return Flow.Continue;
        }
    }

    private Flow ExecuteIf(Statement.If choice, Scope scope)
    {
        foreach ((Expression? condition, List<Statement> body) in choice.Branches)
        {
            if (condition is null || Values.IsTrue(Evaluate(condition, scope)))
            {
                return Execute(body, scope);
            }
        }

        return Flow.Next;
    }

    private void ExecuteFor(Statement.For loop, Scope scope)
    {
        List<object?> items = Values.Iterate(Evaluate(loop.Values, scope), budget);
        if (loop.Condition is Expression condition)
        {
            items = [.. items.Where(item =>
            {
                Scope round = new(scope);
                Assign(loop.Target, item, round);
                return Values.IsTrue(Evaluate(condition, round));
            })];
        }

        LoopState state = new(items);
        for (; state.Round < items.Count; state.Round++)
        {
            budget.Spend();
            Scope round = new(scope);
            round.Set("loop", state);
            Assign(loop.Target, items[state.Round], round);
            if (Execute(loop.Body, round) == Flow.Break)
            {
                break;
            }
        }

        if (items.Count == 0)
        {
            Execute(loop.Otherwise, new Scope(scope));
        }
    }

    private void Assign(Expression target, object? value, Scope scope)
    {
        switch (target)
        {
            case Expression.Name name:
                scope.Set(name.Id, value);
                break;
            case Expression.Attribute { Target: Expression.Name name } attribute:
                Map space = scope.Get(name.Id) is Map { IsNamespace: true } found
                    ? found
                    : throw new TemplateError($"set {name.Id}.{attribute.Id}: only a namespace has attributes to set");
                space.Set(Text.OfTemplate(attribute.Id), value);
                break;
            case Expression.Items names:
                List<object?> items = Values.Iterate(value, budget);
                if (items.Count != names.Values.Count)
                {
                    throw new TemplateError($"{items.Count} values for {names.Values.Count} names");
                }

                for (int i = 0; i < items.Count; i++)
                {
                    Assign(names.Values[i], items[i], scope);
                }

                break;
        }
    }

    private Text CallMacro(Statement.Macro macro, Arguments arguments, Scope definedIn)
    {
        Scope scope = new(definedIn);
        arguments.AtMost(macro.Parameters.Count, [.. macro.Parameters.Select(parameter => parameter.Name)]);
        for (int i = 0; i < macro.Parameters.Count; i++)
        {
            (string name, Expression? usual) = macro.Parameters[i];
            bool given = i < arguments.Positional.Count || arguments.Named.Exists(argument => argument.Name == name);
            object? value = given ? arguments.Get(i, name)
                : usual is not null ? Evaluate(usual, scope)
                : new Undefined($"parameter '{name}' was not provided");
            scope.Set(name, value);
        }

        int line = _line;
        Text text = Captured(macro.Body, scope);
        _line = line;
        return text;
    }

    private Text Captured(List<Statement> body, Scope scope)
    {
        TextBuilder outer = _output;
        _output = new TextBuilder();
        Execute(body, scope);
        Text text = _output.ToText();
        _output = outer;
        return text;
    }

    private object? Filtered(List<Expression.Filter> filters, object? value, Scope scope)
    {
        foreach (Expression.Filter filter in filters)
        {
            value = _filters.Apply(filter.Id, value, Evaluate(filter.Id, filter.Arguments, scope));
        }

        return value;
    }

    private void Write(Text text)
    {
        budget.SpendText((long)_output.Length + text.Value.Length, text.Value.Length);
        _output.Append(text);
    }

    private void Enter()
    {
        if (++_depth > Deepest)
        {
            throw new TemplateError($"nested more than {Deepest} deep");
        }
    }
}
