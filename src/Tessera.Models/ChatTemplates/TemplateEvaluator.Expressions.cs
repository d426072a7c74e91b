namespace Tessera.Models.ChatTemplates;

/// <content>Evaluates a template's expressions.</content>
internal sealed partial class TemplateEvaluator
{
    private object? Evaluate(Expression expression, Scope scope)
    {
        budget.Spend();
        Enter();
        object? value = expression switch
        {
            Expression.Literal literal => literal.Value,
            Expression.Name name => scope.Get(name.Id),
            Expression.Items items => new Sequence(
                [.. items.Values.Select(item => Evaluate(item, scope))],
                items.IsTuple ? Sequence.Kind.Tuple : Sequence.Kind.List),
            Expression.Dictionary dictionary => Dictionary(dictionary, scope),
            Expression.Attribute attribute =>
                Members.Attribute(Evaluate(attribute.Target, scope), attribute.Id, budget),
            Expression.Item item => Members.Item(Evaluate(item.Target, scope), Evaluate(item.Index, scope), budget),
            Expression.Slice slice => Slice(slice, scope),
            Expression.Call call => Call(call, scope),
            Expression.Filter filter => _filters.Apply(
                filter.Id, Evaluate(filter.Target!, scope), Evaluate(filter.Id, filter.Arguments, scope)),
            Expression.Test test => TemplateTests.Holds(
                test.Id, Evaluate(test.Target, scope), Evaluate(test.Id, test.Arguments, scope), budget),
            Expression.Negative negative => Operators.Negate(Evaluate(negative.Value, scope)),
            Expression.Not not => !Values.IsTrue(Evaluate(not.Value, scope)),
            Expression.Binary binary => Operators.Compute(
                binary.Operation, Evaluate(binary.Left, scope), Evaluate(binary.Right, scope), budget),
            Expression.Comparison comparison => Compare(comparison, scope),
            Expression.And and => Evaluate(and.Left, scope) is var left && Values.IsTrue(left)
                ? Evaluate(and.Right, scope)
                : left,
            Expression.Or or => Evaluate(or.Left, scope) is var left && Values.IsTrue(left)
                ? left
                : Evaluate(or.Right, scope),
            Expression.Choice choice => Choose(choice, scope),
            _ => throw new TemplateError($"{expression.GetType().Name} is no expression"),
        };
        _depth--;
        return value;
    }

    private Arguments Evaluate(string callee, CallArguments arguments, Scope scope)
    {
        if (arguments == CallArguments.None)
        {
            return Arguments.None(callee);
        }

        List<object?> positional = [.. arguments.Positional.Select(argument => Evaluate(argument, scope))];
        return new Arguments(
            callee,
            positional,
            [.. arguments.Named.Select(argument => (argument.Name, Evaluate(argument.Value, scope)))]);
    }

    private Map Dictionary(Expression.Dictionary dictionary, Scope scope)
    {
        Map map = new();
        foreach ((Expression key, Expression value) in dictionary.Entries)
        {
            map.Set(Evaluate(key, scope), Evaluate(value, scope));
        }

        return map;
    }

    private object? Slice(Expression.Slice slice, Scope scope)
    {
        object? target = Evaluate(slice.Target, scope);
        return Members.Slice(target, Bound(slice.Start), Bound(slice.Stop), Bound(slice.Step), budget);

        long? Bound(Expression? bound) => bound is null ? null : Evaluate(bound, scope) switch
        {
            null => null,
            long number => number,
            bool flag => flag ? 1 : 0,
            object other => throw new TemplateError(
                $"a slice's bound is {PythonText.TypeName(other)}, wanted a whole number"),
        };
    }

    private object? Call(Expression.Call call, Scope scope)
    {
        object? target = Evaluate(call.Target, scope);
        string name = call.Target switch
        {
            Expression.Name variable => variable.Id,
            Expression.Attribute attribute => attribute.Id,
            _ => "call",
        };
        Arguments arguments = Evaluate(name, call.Arguments, scope);
        return target switch
        {
            Callable callable => callable.Body(arguments),
            Undefined undefined => throw new TemplateError(undefined.Problem),
            _ => throw new TemplateError($"{name}: a value of type {PythonText.TypeName(target)} can't be called"),
        };
    }

    private bool Compare(Expression.Comparison comparison, Scope scope)
    {
        object? left = Evaluate(comparison.First, scope);
        foreach ((string operation, Expression next) in comparison.Rest)
        {
            object? right = Evaluate(next, scope);
            if (!Operators.Compare(operation, left, right, budget))
            {
                return false;
            }

            left = right;
        }

        return true;
    }

    private object? Choose(Expression.Choice choice, Scope scope)
    {
        if (Values.IsTrue(Evaluate(choice.Condition, scope)))
        {
            return Evaluate(choice.Then, scope);
        }

        return choice.Otherwise is Expression otherwise
            ? Evaluate(otherwise, scope)
            : new Undefined("a choice without else has no value");
    }
}
