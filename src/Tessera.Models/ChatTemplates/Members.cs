namespace Tessera.Models.ChatTemplates;

/// <summary>
/// Finds attributes, items, slices and methods of values, in the order in which Jinja looks for them.
/// </summary>
internal static class Members
{
    // What would change a value in place, which Jinja's immutable sandbox forbids.
    private static readonly HashSet<string> _unsafeOfLists =
        ["append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"];

    private static readonly HashSet<string> _unsafeOfMaps = ["clear", "pop", "popitem", "setdefault", "update"];

    /// <summary>Returns an attribute: a method first, then an item.</summary>
    public static object? Attribute(object? target, string name, Budget budget)
    {
        if (target is LoopState loop)
        {
            return loop.Attribute(name);
        }

        object? value = Method(target, name, budget);
        if (value is not null)
        {
            return value;
        }

        return target is Map map && map.TryGet(Text.OfTemplate(name), out object? item) ? item : Absent(target, name);
    }

    /// <summary>Returns an item, or where there is none and the index is a name, a method.</summary>
    public static object? Item(object? target, object? index, Budget budget)
    {
        switch (target)
        {
            case Undefined undefined:
                throw new TemplateError(undefined.Problem);
            case Map { IsNamespace: false } map
                when index is not (Map or Sequence or Undefined) && map.TryGet(index, out object? item):
                return item;
            case Sequence { IsIndexed: true } sequence when index is long or bool:
                long at = Values.AsWhole(index);
                at += at < 0 ? sequence.Items.Count : 0;
                return at >= 0 && at < sequence.Items.Count ? sequence.Items[(int)at] : Absent(target, $"{index}");
            case Text text when index is long or bool:
                budget.SpendText(text.Value.Length);
                long place = Values.AsWhole(index);
                int length = text.Length;
                place += place < 0 ? length : 0;
                return place >= 0 && place < length ? Character(text, (int)place) : Absent(target, $"{index}");
            default:
                return index is Text name && Method(target, name.Value, budget) is object method
                    ? method
                    : Absent(target, PythonText.Of(index, budget).Value);
        }
    }

    /// <summary>Returns a slice of a text or a sequence by Python's rules.</summary>
    public static object? Slice(object? target, long? start, long? stop, long? step, Budget budget)
    {
        long stride = step ?? 1;
        if (stride == 0)
        {
            throw new TemplateError("a slice's step is 0");
        }

        switch (target)
        {
            case Undefined undefined:
                throw new TemplateError(undefined.Problem);
            case Text text when stride == 1:
                budget.SpendText(text.Value.Length);
                (long first, long end) = Bounds(start, stop, 1, text.Length);
                return first < end ? text.Cut(text.PositionOf((int)first), text.PositionOf((int)end)) : Text.Empty;
            case Text text:
                budget.SpendText(16L * text.Value.Length);
                TextBuilder builder = new();
                List<Text> characters = text.Characters();
                foreach (int at in Places(start, stop, stride, characters.Count))
                {
                    builder.Append(characters[at]);
                }

                return builder.ToText();
            case Sequence { IsIndexed: true } sequence:
                budget.Spend(1 + sequence.Items.Count);
                IEnumerable<int> places = Places(start, stop, stride, sequence.Items.Count);
                return new Sequence([.. places.Select(at => sequence.Items[at])], sequence.Is);
            default:
                throw new TemplateError($"a value of type {PythonText.TypeName(target)} has no slices");
        }
    }

    private static object? Method(object? target, string name, Budget budget) => target switch
    {
        Undefined undefined => throw new TemplateError(undefined.Problem),
        Text text => TextMethods.Find(text, name, budget),
        Map { IsNamespace: false } map => MapMethod(map, name),
        Sequence sequence => SequenceMethod(sequence, name, budget),
        _ => null,
    };

    private static object? MapMethod(Map map, string name) => name switch
    {
        "items" => new Callable(name, arguments => View(map.Entries.Select(
            entry => (object?)new Sequence([entry.Key, entry.Value], Sequence.Kind.Tuple)))),
        "keys" => new Callable(name, arguments => View(map.Entries.Select(entry => entry.Key))),
        "values" => new Callable(name, arguments => View(map.Entries.Select(entry => entry.Value))),
        "get" => new Callable(name, arguments =>
        {
            arguments.AtMost(2);
            return map.TryGet(arguments.Required(0, "key"), out object? value) ? value : arguments.Get(1, "default");
        }),
        "copy" => new Callable(name, arguments => map),
        _ when _unsafeOfMaps.Contains(name) => Unsafe(name, "dict"),
        _ => null,
    };

    private static object? SequenceMethod(Sequence sequence, string name, Budget budget) => name switch
    {
        "index" or "count" when sequence.IsIndexed => new Callable(name, arguments =>
        {
            object? wanted = arguments.Required(0, "value");
            int at = sequence.Items.FindIndex(item => Values.AreEqual(item, wanted, budget));
            return name == "count" ? (long)sequence.Items.Count(item => Values.AreEqual(item, wanted, budget))
                : at >= 0 ? at + 0L
                : throw new TemplateError("index: the value is not in the list");
        }),
        "copy" when sequence.Is == Sequence.Kind.List => new Callable(name, arguments => sequence),
        _ when _unsafeOfLists.Contains(name) && sequence.Is == Sequence.Kind.List => Unsafe(name, "list"),
        _ => null,
    };

    private static Undefined Unsafe(string name, string type) =>
        new($"access to attribute '{name}' of '{type}' object is unsafe");

    private static Sequence View(IEnumerable<object?> items) => new([.. items], Sequence.Kind.View);

    private static Undefined Absent(object? target, string name) =>
        new($"'{PythonText.TypeName(target)} object' has no attribute '{name}'");

    private static Text Character(Text text, int place)
    {
        int start = text.PositionOf(place);
        return text.Cut(start, start + (char.IsSurrogatePair(text.Value, start) ? 2 : 1));
    }

    private static (long First, long End) Bounds(long? start, long? stop, long step, long length)
    {
        (long low, long high) = step > 0 ? (0, length) : (-1, length - 1);
        long first = Clamp(start ?? (step > 0 ? low : high), start);
        long end = Clamp(stop ?? (step > 0 ? high : low), stop);
        return (first, end);

        // An absent bound is the end that the step comes from or goes to, and counts from neither side.
        long Clamp(long bound, long? given) =>
            given is null ? bound : Math.Clamp(bound < 0 ? bound + length : bound, low, high);
    }

    private static IEnumerable<int> Places(long? start, long? stop, long step, long length)
    {
        (long first, long end) = Bounds(start, stop, step, length);

        // A longer stride leads out as well, and a place plus the longest of all would be over what a number can hold.
        long stride = Math.Clamp(step, -length - 1, length + 1);
        for (long at = first; stride > 0 ? at < end : at > end; at += stride)
        {
            yield return (int)at;
        }
    }
}
