using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;

namespace Tessera.Cli;

/// <summary>Makes options that take a number, and say what they want when they get something else.</summary>
internal static class NumberOptions
{
    /// <summary>Returns an option that takes a whole number.</summary>
    public static Option<int?> Whole(
        string name, string description, int low, int high = int.MaxValue, int? usual = null)
    {
        Option<int?> option = Create(name, description, low, high);
        if (usual is not null)
        {
            option.DefaultValueFactory = _ => usual;
        }

        return option;
    }

    /// <summary>Returns an option that takes any whole number.</summary>
    public static Option<long?> Seed(string name, string description) =>
        Create(name, description, long.MinValue, long.MaxValue);

    /// <summary>Returns an option that takes a number with a fraction.</summary>
    public static Option<double?> Real(string name, string description, double low, double high) =>
        Create(name, description, low, high);

    private static Option<T?> Create<T>(string name, string description, T low, T high)
        where T : struct, INumber<T>, IMinMaxValue<T> => new(name)
        {
            Description = description,
            HelpName = "number",
            CustomParser = argument => Parse(name, argument, low, high),
        };

    private static T? Parse<T>(string name, ArgumentResult argument, T low, T high)
        where T : struct, INumber<T>, IMinMaxValue<T>
    {
        string text = argument.Tokens[0].Value;
        bool isNumber = T.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out T value);
        if (isNumber && value >= low && value <= high)
        {
            return value;
        }

        string kind = typeof(T) == typeof(double) ? "a number" : "a whole number";
        string wanted = low == T.MinValue ? kind
            : high == T.MaxValue ? $"{kind} from {low}"
            : $"{kind} from {low} to {high}";
        argument.AddError($"{name} is '{text}'; wanted {wanted}.");
        return null;
    }
}
