namespace Tessera.Models.ChatTemplates;

/// <summary>Compares values and decides their truth as Python does.</summary>
internal static class Values
{
    private const int Deepest = 64;

    /// <summary>Returns whether a value counts as true.</summary>
    public static bool IsTrue(object? value) => value switch
    {
        null or Undefined => false,
        bool flag => flag,
        long number => number != 0,
        double number => number != 0,
        Text text => text.Value.Length > 0,
        Map { IsNamespace: false } map => map.Count > 0,
        Sequence { Is: not Sequence.Kind.Generator } sequence => sequence.Items.Count > 0,
        _ => true,
    };

    /// <summary>
    /// Returns whether two values are equal; whose a text is does not matter. Each item costs a step, since a few lists
    /// that hold each other twice have billions.
    /// </summary>
    public static bool AreEqual(object? left, object? right, Budget budget, int depth = 0)
    {
        budget.Spend();
        if (depth > Deepest)
        {
            throw new TemplateError($"==: values are nested more than {Deepest} deep");
        }

        return (left, right) switch
        {
            (null, null) => true,
            (Undefined, Undefined) => true,
            (Text a, Text b) => AreEqualTexts(a, b, budget),
            (Map a, Map b) when !a.IsNamespace && !b.IsNamespace => AreEqualMaps(a, b, budget, depth),
            (Sequence a, Sequence b) when a.Is == b.Is && a.IsIndexed => AreEqualItems(a.Items, b.Items, budget, depth),
            _ when AsNumber(left) is double a && AsNumber(right) is double b =>
                left is double || right is double ? a == b : AsWhole(left) == AsWhole(right),
            _ => ReferenceEquals(left, right),
        };
    }

    /// <summary>Orders two numbers, two texts or two sequences; other pairs have no order.</summary>
    public static int Compare(object? left, object? right, Budget budget)
    {
        if (left is Sequence { Is: <= Sequence.Kind.Tuple } first && right is Sequence second && first.Is == second.Is)
        {
            return CompareItems(first.Items, second.Items, budget);
        }

        if (left is Text a && right is Text b)
        {
            return string.CompareOrdinal(a.Value, b.Value);
        }

        if (AsNumber(left) is double x && AsNumber(right) is double y)
        {
            return left is double || right is double ? x.CompareTo(y) : AsWhole(left).CompareTo(AsWhole(right));
        }

        throw new TemplateError(
            $"values of types {PythonText.TypeName(left)} and {PythonText.TypeName(right)} have no order");
    }

    /// <summary>Returns items in the order of their keys; those of equal keys stay as they are.</summary>
    public static List<T> Sorted<T>(IEnumerable<T> items, Func<T, object?> key, bool reverse, Budget budget)
    {
        Comparer<object?> comparer = Comparer<object?>.Create((left, right) => Compare(left, right, budget));
        try
        {
            return [.. reverse ? items.OrderByDescending(key, comparer) : items.OrderBy(key, comparer)];
        }
        catch (InvalidOperationException wrapped) when (wrapped.InnerException is TemplateError error)
        {
            throw error;
        }
    }

    /// <summary>Returns whether a value is in a text, a sequence or a dictionary.</summary>
    public static bool IsIn(object? value, object? container, Budget budget)
    {
        switch (container)
        {
            case Text text:
                Text part = value as Text
                    ?? throw new TemplateError($"in: a text can't hold a value of type {PythonText.TypeName(value)}");
                budget.SpendText(text.Value.Length);
                return text.Value.Contains(part.Value, StringComparison.Ordinal);
            case Map { IsNamespace: false } map:
                return map.TryGet(value, out _);
            case Sequence sequence:
                return sequence.Take().Exists(item => AreEqual(item, value, budget));
            case Undefined:
                return false;
            default:
                throw new TemplateError($"in: a value of type {PythonText.TypeName(container)} holds nothing");
        }
    }

    /// <summary>Returns the values that a loop goes through.</summary>
    public static List<object?> Iterate(object? value, Budget budget)
    {
        budget.Spend(1 + (value is Text characters ? characters.Value.Length : 0));
        List<object?> items = value switch
        {
            Sequence sequence => sequence.Take(),
            Map { IsNamespace: false } map => [.. map.Entries.Select(entry => entry.Key)],
            Text text => [.. text.Characters()],
            Undefined => [],
            _ => throw new TemplateError($"a value of type {PythonText.TypeName(value)} can't be gone through"),
        };
        budget.Spend(items.Count);
        return items;
    }

    /// <summary>Returns the length of a value.</summary>
    public static long Length(object? value, Budget budget)
    {
        budget.SpendText(value is Text characters ? characters.Value.Length : 0);
        return LengthOf(value);
    }

    private static long LengthOf(object? value) => value switch
    {
        Text text => text.Length,
        Map { IsNamespace: false } map => map.Count,
        Sequence { Is: not Sequence.Kind.Generator } sequence => sequence.Items.Count,
        Undefined => 0,
        _ => throw new TemplateError($"a value of type {PythonText.TypeName(value)} has no length"),
    };

    /// <summary>Returns a number, true as 1 and false as 0, or null.</summary>
    public static double? AsNumber(object? value) => value switch
    {
        bool flag => flag ? 1 : 0,
        long number => number,
        double number => number,
        _ => null,
    };

    /// <summary>Returns a whole number that is one.</summary>
    public static long AsWhole(object? value) => value is bool flag ? (flag ? 1 : 0) : (long)value!;

    private static int CompareItems(List<object?> left, List<object?> right, Budget budget)
    {
        for (int i = 0; i < Math.Min(left.Count, right.Count); i++)
        {
            if (!AreEqual(left[i], right[i], budget))
            {
                return Compare(left[i], right[i], budget);
            }
        }

        return left.Count.CompareTo(right.Count);
    }

    private static bool AreEqualTexts(Text left, Text right, Budget budget)
    {
        if (left.Value.Length != right.Value.Length)
        {
            return false;
        }

        budget.SpendText(left.Value.Length);
        return left.Value == right.Value;
    }

    private static bool AreEqualMaps(Map left, Map right, Budget budget, int depth) =>
        left.Count == right.Count && left.Entries.All(entry =>
            right.TryGet(entry.Key, out object? other) && AreEqual(entry.Value, other, budget, depth + 1));

    private static bool AreEqualItems(List<object?> left, List<object?> right, Budget budget, int depth)
    {
        if (left.Count != right.Count)
        {
            return false;
        }

        for (int i = 0; i < left.Count; i++)
        {
            if (!AreEqual(left[i], right[i], budget, depth + 1))
            {
                return false;
            }
        }

        return true;
    }
}
