namespace Tessera.Models.ChatTemplates;

/// <content>Holds the filters that go through the items of a value.</content>
internal sealed partial class TemplateFilters
{
    private object? ApplyToItems(string name, object? value, Arguments arguments) => name switch
    {
        "join" => Join(value, arguments),
        "items" => Items(value),
        "list" => new Sequence([.. Iterate(value)]),
        "first" => Iterate(value) is [var first, ..] ? first : Empty(),
        "last" => Iterate(value) is [.., var last] ? last : Empty(),
        "reverse" => Reverse(value),
        "dictsort" => DictSort(value, arguments),
        "sort" => new Sequence(Sorted(Iterate(value), Attribute(arguments, 2), arguments, reverseAt: 0, caseAt: 1)),
        "unique" => Unique(value, arguments),
        "min" => Sorted(Iterate(value), Attribute(arguments, 1), arguments, reverseAt: 9, caseAt: 0) is [var least, ..]
            ? least
            : Empty(),
        "max" => Sorted(Iterate(value), Attribute(arguments, 1), arguments, reverseAt: 9, caseAt: 0) is [.., var most]
            ? most
            : Empty(),
        "sum" => Iterate(value).Aggregate((object?)0L, (sum, item) => Operators.Compute("+", sum, item, budget)),
        "map" => Generator(IterateTrue(value).Select(Mapper(arguments))),
        "select" => Generator(IterateTrue(value).Where(item => Passes(item, arguments, 0))),
        "reject" => Generator(IterateTrue(value).Where(item => !Passes(item, arguments, 0))),
        "selectattr" => Generator(IterateTrue(value).Where(item => AttributePasses(item, arguments))),
        "rejectattr" => Generator(IterateTrue(value).Where(item => !AttributePasses(item, arguments))),
        _ => throw new TemplateError($"no filter is named '{name}'"),
    };

    private static Undefined Empty() => new("there are no items");

    private static Sequence Generator(IEnumerable<object?> items) => new([.. items], Sequence.Kind.Generator);

    private List<object?> Iterate(object? value) => Values.Iterate(value, budget);

    // These filters take any false value for no items, None too.
    private List<object?> IterateTrue(object? value) => Values.IsTrue(value) ? Iterate(value) : [];

    private bool AttributePasses(object? item, Arguments arguments) =>
        Passes(Get(item, arguments.Text(0, "attribute")), arguments, 1);

    private Text Join(object? value, Arguments arguments)
    {
        List<object?> items = Iterate(value);
        if (arguments.Get(1, "attribute") is Text attribute)
        {
            items = [.. items.Select(item => Get(item, attribute))];
        }

        return TextMethods.Join(PythonText.Of(arguments.Get(0, "d", Text.Empty), budget), items, budget);
    }

    private Sequence Items(object? value)
    {
        Map map = value switch
        {
            Undefined => new Map(),
            Map { IsNamespace: false } found => found,
            _ => throw new TemplateError($"items: a value of type {PythonText.TypeName(value)}, wanted a dictionary"),
        };
        budget.Spend(1 + map.Count);
        return Generator(map.Entries.Select(Pair));
    }

    private static object? Pair((object? Key, object? Value) entry) =>
        new Sequence([entry.Key, entry.Value], Sequence.Kind.Tuple);

    private object Reverse(object? value)
    {
        if (value is Text text)
        {
            return Members.Slice(text, null, null, -1, budget)!;
        }

        return Generator(Iterate(value).AsEnumerable().Reverse());
    }

    private Sequence DictSort(object? value, Arguments arguments)
    {
        Map map = value as Map
            ?? throw new TemplateError($"dictsort: a value of type {PythonText.TypeName(value)}, wanted a dictionary");
        bool byValue = arguments.Get(1, "by") is Text { Value: "value" };
        List<object?> pairs = [.. map.Entries.Select(Pair)];
        return new Sequence(Sorted(
            pairs, pair => ((Sequence)pair!).Items[byValue ? 1 : 0], arguments, reverseAt: 2, caseAt: 0));
    }

    // Stable, as Python's sort is; case is ignored unless the template asks for it.
    private List<object?> Sorted(
        List<object?> items, Func<object?, object?> key, Arguments arguments, int reverseAt, int caseAt)
    {
        budget.Spend(1 + (8 * items.Count));
        bool ignoresCase = !Values.IsTrue(arguments.Get(caseAt, "case_sensitive"));
        return Values.Sorted(
            items,
            item => Folded(key(item), ignoresCase),
            Values.IsTrue(arguments.Get(reverseAt, "reverse")),
            budget);
    }

    private Sequence Unique(object? value, Arguments arguments)
    {
        Func<object?, object?> key = Attribute(arguments, 1);
        bool ignoresCase = !Values.IsTrue(arguments.Get(0, "case_sensitive"));
        Map seen = new();
        List<object?> unique = [];
        foreach (object? item in Iterate(value))
        {
            object? folded = Folded(key(item), ignoresCase);
            if (!seen.TryGet(folded, out _))
            {
                seen.Set(folded, true);
                unique.Add(item);
            }
        }

        return Generator(unique);
    }

    private static object? Folded(object? value, bool ignoresCase) =>
        ignoresCase && value is Text text ? TextMethods.Mapped(text, text.Value.ToLowerInvariant()) : value;

    private Func<object?, object?> Attribute(Arguments arguments, int place) =>
        arguments.Get(place, "attribute") is Text attribute ? item => Get(item, attribute) : item => item;

    private Func<object?, object?> Mapper(Arguments arguments)
    {
        if (arguments.Positional.Count == 0)
        {
            Text attribute = arguments.Text(0, "attribute");
            object? usual = arguments.Get(1, "default", new Undefined($"there is no attribute '{attribute}'"));
            return item => Get(item, attribute) is var found and not Undefined ? found : usual;
        }

        string filter = arguments.Text(0, "filter").Value;
        Arguments rest = new(filter, arguments.Positional[1..], arguments.Named);
        return item => Apply(filter, item, rest);
    }

    private bool Passes(object? value, Arguments arguments, int testAt)
    {
        budget.Spend();
        if (arguments.Positional.Count <= testAt)
        {
            return Values.IsTrue(value);
        }

        string test = arguments.Text(testAt, "test").Value;
        Arguments rest = new(test, arguments.Positional[(testAt + 1)..], arguments.Named);
        return TemplateTests.Holds(test, value, rest, budget);
    }

    // An attribute may lead through several values: a.b.0.
    private object? Get(object? value, Text path)
    {
        foreach (string part in path.Value.Split('.'))
        {
            value = Members.Item(value, long.TryParse(part, out long index) ? index : Text.OfTemplate(part), budget);
        }

        return value;
    }
}
