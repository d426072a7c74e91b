using System.Globalization;
using System.Text;

namespace Tessera.Models.ChatTemplates;

/// <summary>Holds the functions that chat templates call.</summary>
internal static class TemplateFunctions
{
    // Jinja's sandbox has the same bound.
    private const int LongestRange = 100_000;

    /// <summary>Sets the functions as variables; the time only where one was given.</summary>
    public static void SetIn(Scope scope, DateTime? now, Budget budget)
    {
        Set("raise_exception", arguments =>
            throw new TemplateError(PythonText.Of(arguments.Get(0, "message"), budget).Value));
        Set("namespace", Namespace);
        Set("dict", arguments => Fill(new Map(), arguments));
        Set("range", arguments => Range(arguments, budget));
        if (now is DateTime time)
        {
            Set("strftime_now", arguments => Text.OfTemplate(Format(time, arguments.Text(0, "format").Value)));
        }

        void Set(string name, Func<Arguments, object?> body) => scope.Set(name, new Callable(name, body));
    }

    private static Map Namespace(Arguments arguments) => Fill(new Map { IsNamespace = true }, arguments);

    private static Map Fill(Map map, Arguments arguments)
    {
        foreach (object? value in arguments.Positional)
        {
            Map other = value as Map
                ?? throw new TemplateError($"namespace: {PythonText.TypeName(value)}, wanted a dictionary");
            foreach ((object? key, object? item) in other.Entries)
            {
                map.Set(key, item);
            }
        }

        foreach ((string name, object? value) in arguments.Named)
        {
            map.Set(Text.OfTemplate(name), value);
        }

        return map;
    }

    private static Sequence Range(Arguments arguments, Budget budget)
    {
        arguments.AtMost(3);
        int first = arguments.Number(0, "start", 0);
        bool hasStart = arguments.Positional.Count > 1;
        (long start, long stop) = hasStart ? (first, arguments.Number(1, "stop", 0)) : (0, first);
        long step = arguments.Number(2, "step", 1);
        long count = step == 0
            ? throw new TemplateError("range: the step is 0")
            : Math.Max(0, (stop - start + step - Math.Sign(step)) / step);
        if (count > LongestRange)
        {
            throw new TemplateError($"range: {count} numbers, wanted at most {LongestRange}");
        }

        budget.Spend(1 + (int)count);
        List<object?> numbers = [];
        for (long i = 0; i < count; i++)
        {
            numbers.Add(start + (i * step));
        }

        return new Sequence(numbers, Sequence.Kind.Range);
    }

    private static string Format(DateTime time, string format)
    {
        StringBuilder output = new();
        for (int i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                output.Append(format[i]);
                continue;
            }

            // A dash after the sign drops the zero in front.
            bool short_ = format[i + 1] == '-' && i + 2 < format.Length;
            i += short_ ? 2 : 1;
            string part = Part(time, format[i]);
            string digits = part.TrimStart('0');
            output.Append(!short_ ? part : digits.Length == 0 ? "0" : digits);
        }

        return output.ToString();
    }

    private static string Part(DateTime time, char code) => code switch
    {
        'Y' => time.Year.ToString("0000", CultureInfo.InvariantCulture),
        'y' => (time.Year % 100).ToString("00", CultureInfo.InvariantCulture),
        'm' => time.Month.ToString("00", CultureInfo.InvariantCulture),
        'd' => time.Day.ToString("00", CultureInfo.InvariantCulture),
        'e' => time.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
        'j' => time.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
        'H' => time.Hour.ToString("00", CultureInfo.InvariantCulture),
        'I' => (((time.Hour + 11) % 12) + 1).ToString("00", CultureInfo.InvariantCulture),
        'M' => time.Minute.ToString("00", CultureInfo.InvariantCulture),
        'S' => time.Second.ToString("00", CultureInfo.InvariantCulture),
        'p' => time.Hour < 12 ? "AM" : "PM",
        'a' => CultureInfo.InvariantCulture.DateTimeFormat.GetAbbreviatedDayName(time.DayOfWeek),
        'A' => CultureInfo.InvariantCulture.DateTimeFormat.GetDayName(time.DayOfWeek),
        'b' or 'h' => CultureInfo.InvariantCulture.DateTimeFormat.GetAbbreviatedMonthName(time.Month),
        'B' => CultureInfo.InvariantCulture.DateTimeFormat.GetMonthName(time.Month),
        'F' => $"{Part(time, 'Y')}-{Part(time, 'm')}-{Part(time, 'd')}",
        'T' => $"{Part(time, 'H')}:{Part(time, 'M')}:{Part(time, 'S')}",
        '%' => "%",
        _ => throw new TemplateError($"strftime_now: %{code} is not supported"),
    };
}
