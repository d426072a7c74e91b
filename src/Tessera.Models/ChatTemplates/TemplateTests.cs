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
        "lower" => value is Text text && text.Value.Any(char.IsLower) && !text.Value.Any(char.IsUpper),
        "upper" => value is Text text && text.Value.Any(char.IsUpper) && !text.Value.Any(char.IsLower),
        "even" => Values.AreEqual(Remainder(value, 2, budget), 0L),
        "odd" => Values.AreEqual(Remainder(value, 2, budget), 1L),
        "divisibleby" => Values.AreEqual(Remainder(value, arguments.Required(0, "num"), budget), 0L),
        "eq" or "equalto" or "==" => Values.AreEqual(value, arguments.Required(0, "other")),
        "ne" or "!=" => !Values.AreEqual(value, arguments.Required(0, "other")),
        "lt" or "lessthan" or "<" => Values.Compare(value, arguments.Required(0, "other")) < 0,
        "le" or "<=" => Values.Compare(value, arguments.Required(0, "other")) <= 0,
        "gt" or "greaterthan" or ">" => Values.Compare(value, arguments.Required(0, "other")) > 0,
        "ge" or ">=" => Values.Compare(value, arguments.Required(0, "other")) >= 0,
        "in" => Values.IsIn(value, arguments.Required(0, "seq"), budget),
        _ => throw new TemplateError($"no test is named '{name}'"),
    };

    private static object? Remainder(object? value, object? divisor, Budget budget) =>
        Operators.Compute("%", value, divisor is int number ? (long)number : divisor, budget);
}
