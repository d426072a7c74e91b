namespace Tessera.Models.ChatTemplates;

/// <summary>Holds Jinja's tests: what may stand after <c>is</c>.</summary>
internal static class TemplateTests
{
    /// <summary>Returns whether a test holds for a value.</summary>
    public static bool Holds(string name, object? value, Arguments arguments, Budget budget) => name switch
    {
        "defined" => value is not Undefined,
        "undefined" => value is Undefined,
        "none" => value is null,
        "string" => value is Text,
        "number" => value is long or double or bool,
        "integer" => value is long,
        "float" => value is double,
        "boolean" => value is bool,
        "true" => value is true,
        "false" => value is false,
        "mapping" => value is Map { IsNamespace: false },
        "sequence" => value is Text or Map { IsNamespace: false } or Sequence { IsIndexed: true } or Undefined,
        "iterable" => value is Text or Map { IsNamespace: false } or Sequence or Undefined,
        "callable" => value is Callable,
        "lower" => Has(value, char.IsLower, char.IsUpper, budget),
        "upper" => Has(value, char.IsUpper, char.IsLower, budget),
        "even" => Values.AreEqual(Remainder(value, 2L, budget), 0L, budget),
        "odd" => Values.AreEqual(Remainder(value, 2L, budget), 1L, budget),
        "divisibleby" => Values.AreEqual(Remainder(value, arguments.Required(0, "num"), budget), 0L, budget),
        "eq" or "equalto" or "==" => Values.AreEqual(value, arguments.Required(0, "other"), budget),
        "ne" or "!=" => !Values.AreEqual(value, arguments.Required(0, "other"), budget),
        "lt" or "lessthan" or "<" => Values.Compare(value, arguments.Required(0, "other"), budget) < 0,
        "le" or "<=" => Values.Compare(value, arguments.Required(0, "other"), budget) <= 0,
        "gt" or "greaterthan" or ">" => Values.Compare(value, arguments.Required(0, "other"), budget) > 0,
        "ge" or ">=" => Values.Compare(value, arguments.Required(0, "other"), budget) >= 0,
        "in" => Values.IsIn(value, arguments.Required(0, "seq"), budget),
        _ => throw new TemplateError($"no test is named '{name}'"),
    };

    private static bool Has(object? value, Func<char, bool> some, Func<char, bool> none, Budget budget)
    {
        if (value is not Text text)
        {
            return false;
        }

        budget.SpendText(text.Value.Length);
        return text.Value.Any(some) && !text.Value.Any(none);
    }

    private static object? Remainder(object? value, object? divisor, Budget budget) =>
        Operators.Compute("%", value, divisor, budget);
}
