namespace Tessera.Models.ChatTemplates;

/// <summary>Computes the operators of two values as Python does.</summary>
internal static class Operators
{
    /// <summary>Computes an operator other than a comparison.</summary>
    public static object? Compute(string operation, object? left, object? right, Budget budget)
    {
        budget.Spend();
        return operation switch
        {
            "~" => Join(PythonText.Of(left, budget), PythonText.Of(right, budget), budget),
            "+" when left is Text a && right is Text b => Add(a, b, budget),
            "+" when left is Sequence a && right is Sequence b && a.Is == b.Is && a.Is <= Sequence.Kind.Tuple =>
                Join(a, b, budget),
            "*" when left is Text text && right is long or bool => Repeat(text, Values.AsWhole(right), budget),
            "*" when right is Text text && left is long or bool => Repeat(text, Values.AsWhole(left), budget),
            "*" when left is Sequence { Is: <= Sequence.Kind.Tuple } list && right is long or bool =>
                Repeat(list, Values.AsWhole(right), budget),
            "*" when right is Sequence { Is: <= Sequence.Kind.Tuple } list && left is long or bool =>
                Repeat(list, Values.AsWhole(left), budget),
            _ when Values.AsNumber(left) is double a && Values.AsNumber(right) is double b =>
                left is double || right is double || operation is "/"
                    ? OfFloats(operation, a, b)
                    : (object)OfWholes(operation, Values.AsWhole(left), Values.AsWhole(right)),
            _ => throw Unsupported(operation, left, right),
        };
    }

    /// <summary>Computes a comparison.</summary>
    public static bool Compare(string operation, object? left, object? right, Budget budget)
    {
        budget.Spend();
        return operation switch
        {
            "==" => Values.AreEqual(left, right, budget),
            "!=" => !Values.AreEqual(left, right, budget),
            "in" => Values.IsIn(left, right, budget),
            "not in" => !Values.IsIn(left, right, budget),
            "<" => Values.Compare(left, right, budget) < 0,
            "<=" => Values.Compare(left, right, budget) <= 0,
            ">" => Values.Compare(left, right, budget) > 0,
            ">=" => Values.Compare(left, right, budget) >= 0,
            _ => throw Unsupported(operation, left, right),
        };
    }

    /// <summary>Returns a number with its sign changed.</summary>
    public static object Negate(object? value) => value switch
    {
        double number => (object)(-number),
        long or bool when Values.AsWhole(value) is > long.MinValue and var number => -number,
        long number => throw new TemplateError($"-({number}): more than 64 bits"),
        _ => throw new TemplateError($"-: a value of type {PythonText.TypeName(value)} has no sign"),
    };

    /// <summary>Joins two texts; each part keeps whose it is.</summary>
    public static Text Join(Text left, Text right, Budget budget)
    {
        budget.SpendText((long)left.Value.Length + right.Value.Length);
        if (left.Value.Length == 0 || right.Value.Length == 0)
        {
            return left.Value.Length == 0 ? right : left;
        }

        TextBuilder builder = new();
        builder.Append(left);
        builder.Append(right);
        return builder.ToText();
    }

    private static Text Add(Text left, Text right, Budget budget)
    {
        if (!left.IsMarkup && !right.IsMarkup)
        {
            return Join(left, right, budget);
        }

        budget.SpendText(6L * (left.Value.Length + right.Value.Length));
        return Join(
            left.IsMarkup ? left : left.Escaped(), right.IsMarkup ? right : right.Escaped(), budget).AsMarkup();
    }

    private static Sequence Join(Sequence left, Sequence right, Budget budget)
    {
        budget.Spend(left.Items.Count + right.Items.Count);
        return new Sequence([.. left.Items, .. right.Items], left.Is);
    }

    private static Text Repeat(Text text, long count, Budget budget)
    {
        long times = Math.Clamp(count, 0, int.MaxValue);
        budget.SpendText(text.Value.Length * times);
        TextBuilder builder = new();
        for (long i = 0; i < times && text.Value.Length > 0; i++)
        {
            builder.Append(text);
        }

        return builder.ToText();
    }

    private static Sequence Repeat(Sequence list, long count, Budget budget)
    {
        long times = list.Items.Count == 0 ? 0 : Math.Clamp(count, 0, int.MaxValue);
        budget.SpendText(list.Items.Count * times * 16);
        return new Sequence([.. Enumerable.Repeat(list.Items, (int)times).SelectMany(items => items)], list.Is);
    }

    private static double OfFloats(string operation, double left, double right)
    {
        if (right == 0 && operation is "/" or "//" or "%")
        {
            throw new TemplateError($"{operation}: division by zero");
        }

        return operation switch
        {
            "+" => left + right,
            "-" => left - right,
            "*" => left * right,
            "/" => left / right,
            "//" => Math.Floor(left / right),
            "%" => left - (right * Math.Floor(left / right)),
            _ => throw Unsupported(operation, left, right),
        };
    }

    private static long OfWholes(string operation, long left, long right)
    {
        if (right == 0 && operation is "//" or "%")
        {
            throw new TemplateError($"{operation}: division by zero");
        }

        try
        {
            checked
            {
                return operation switch
                {
                    "+" => left + right,
                    "-" => left - right,
                    "*" => left * right,
                    "//" => FloorDivide(left, right),
                    "%" => left - (right * FloorDivide(left, right)),
                    _ => throw Unsupported(operation, left, right),
                };
            }
        }
        catch (OverflowException)
        {
            throw new TemplateError($"{left} {operation} {right}: more than 64 bits");
        }
    }

    private static long FloorDivide(long left, long right)
    {
        long quotient = checked(left / right);
        return left % right != 0 && (left < 0) != (right < 0) ? quotient - 1 : quotient;
    }

    private static TemplateError Unsupported(string operation, object? left, object? right) => new(
        $"{operation}: unsupported for {PythonText.TypeName(left)} and {PythonText.TypeName(right)}");
}
