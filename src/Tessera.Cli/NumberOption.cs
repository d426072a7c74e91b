using System.CommandLine;
using System.Globalization;

namespace Tessera.Cli;

/// <summary>
/// Is an option that takes a number, and says what it wants when it gets something else. It is an option of text
/// inside: one of numbers is a generic type of another library, which would have to be compiled each time the program
/// starts.
/// </summary>
internal sealed class NumberOption
{
    private readonly bool _isWhole;
    private readonly double _low;
    private readonly double _high;

    private NumberOption(string name, string description, bool isWhole, double low, double high)
    {
        (_isWhole, _low, _high) = (isWhole, low, high);
        Option = new Option<string?>(name) { Description = description, HelpName = "number" };
        Option.Validators.Add(result =>
        {
            string text = result.Tokens.Count > 0 ? result.Tokens[0].Value : "";
            if (!IsWanted(text))
            {
                result.AddError($"{name} is '{text}'; wanted {Wanted}.");
            }
        });
    }

    /// <summary>Gets what a command is given.</summary>
    public Option<string?> Option { get; }

    private string Wanted
    {
        get
        {
            string kind = _isWhole ? "a whole number" : "a number";
            return _high < int.MaxValue ? $"{kind} from {_low} to {_high}"
                : _low > int.MinValue ? $"{kind} from {_low}"
                : kind;
        }
    }

    /// <summary>Returns an option that takes a whole number.</summary>
    public static NumberOption Whole(string name, string description, int low, int high = int.MaxValue) =>
        new(name, description, isWhole: true, low, high);

    /// <summary>Returns an option that takes any whole number.</summary>
    public static NumberOption Seed(string name, string description) =>
        new(name, description, isWhole: true, long.MinValue, long.MaxValue);

    /// <summary>Returns an option that takes a number with a fraction.</summary>
    public static NumberOption Real(string name, string description, double low, double high) =>
        new(name, description, isWhole: false, low, high);

    /// <summary>Returns the option that bounds the context, which the cache's memory grows with.</summary>
    public static NumberOption Context() => Whole(
        "--context", "How many tokens prompt and answer may have together [default: the model's context]", 2, 1 << 28);

    /// <summary>Returns the whole number that was given, or null.</summary>
    public int? Int(ParseResult arguments) => (int?)Long(arguments);

    /// <summary>Returns the whole number that was given, or null.</summary>
    public long? Long(ParseResult arguments) => arguments.GetValue(Option) is { } text
        ? long.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture)
        : null;

    /// <summary>Returns the number that was given, or null.</summary>
    public double? Double(ParseResult arguments) => arguments.GetValue(Option) is { } text
        ? double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture)
        : null;

    private bool IsWanted(string text) => _isWhole
        ? long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole)
            && whole >= _low && whole <= _high
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double real)
            && real >= _low && real <= _high;
}
