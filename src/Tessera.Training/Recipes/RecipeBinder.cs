using System.Collections;
using System.Globalization;
using System.Reflection;
using Tessera.Training.Optimizers;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Tessera.Training.Recipes;

/// <summary>Makes records of YAML: each key is a property, and every key must be known.</summary>
internal sealed class RecipeBinder(RecipeTree tree)
{
    /// <summary>Returns the keys of a record: its properties that can be set.</summary>
    public static IReadOnlyDictionary<string, PropertyInfo> Keys(Type record) => record
        .GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .Where(p => p.SetMethod is not null)
        .ToDictionary(p => RecipeNames.Key(p.Name));

    /// <summary>Makes a record of a mapping.</summary>
    /// <exception cref="RecipeException">A key is not known or a value is not of its type or outside its
    /// limits.</exception>
    public T Bind<T>(YamlMappingNode node, string path) => (T)Record(typeof(T), node, path);

    /// <summary>Returns a mapping laid over another.</summary>
    public YamlMappingNode Merge(YamlMappingNode below, YamlMappingNode above) => tree.Merge(below, above);

    private object Record(Type type, YamlNode node, string path)
    {
        // A source may be written as its path alone.
        if (node is YamlScalarNode && Keys(type).ContainsKey("path"))
        {
            node = new YamlMappingNode(new YamlScalarNode("path"), node);
        }

        if (node is not YamlMappingNode mapping)
        {
            throw Wrong(node,
                $"{path} is {Describe(node)}; it must be a group of keys: {string.Join(", ", Keys(type).Keys)}");
        }

        object record = Activator.CreateInstance(type)!;
        IReadOnlyDictionary<string, PropertyInfo> keys = Keys(type);
        foreach ((YamlNode keyNode, YamlNode value) in mapping.Children)
        {
            string key = (keyNode as YamlScalarNode)?.Value ?? "";
            if (!keys.TryGetValue(key, out PropertyInfo? property))
            {
                throw Wrong(keyNode, Unknown(key, path, keys.Keys));
            }

            string inner = path.Length == 0 ? key : $"{path}.{key}";
            if (value is YamlScalarNode { Style: ScalarStyle.Plain or ScalarStyle.Any, Value: "" or "~" or "null" })
            {
                // A key without a value keeps its default.
                continue;
            }

            SetProperty(property, record, Value(property.PropertyType, value, inner), value, inner);
        }

        return record;
    }

    private void SetProperty(PropertyInfo property, object record, object value, YamlNode node, string path)
    {
        try
        {
            property.SetValue(record, value);
        }
        catch (TargetInvocationException e) when (e.InnerException is ArgumentException inner)
        {
            string section = path.Contains('.', StringComparison.Ordinal) ? path[..(path.LastIndexOf('.') + 1)] : "";
            throw Wrong(node, section + inner.Message);
        }
    }

    private object Value(Type type, YamlNode node, string path)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>))
        {
            return List(type.GetGenericArguments()[0], node, path);
        }

        if (type.Namespace == typeof(Recipe).Namespace && !type.IsEnum)
        {
            return Record(type, node, path);
        }

        string text =
            node is YamlScalarNode { Value: { } value }
                ? value
                : throw Wrong(node, $"{path} is {Describe(node)}; it must be {Name(type)}");
        object? parsed = type switch
        {
            _ when type == typeof(string) => text,
            _ when type == typeof(bool) => text is "true" ? true : text is "false" ? false : null,
            _ when type == typeof(double) => Number(text),
            _ when type == typeof(long) => Whole(text),
            _ when type == typeof(int) =>
                Whole(text) is { } whole and >= int.MinValue and <= int.MaxValue ? (int)whole : null,
            _ => Member(type, text),
        };
        return parsed ?? throw Wrong(node, $"{path} is \"{text}\"; it must be {Name(type)}{Nearest(type, text)}");
    }

    private IList List(Type type, YamlNode node, string path)
    {
        // A single value stands for a list of it.
        IEnumerable<YamlNode> items = node is YamlSequenceNode sequence ? sequence.Children : [node];
        IList list = (IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(type))!;
        foreach (YamlNode item in items)
        {
            list.Add(Value(type, item, $"{path}.{list.Count}"));
        }

        return list;
    }

    private static double? Number(string text)
    {
        (string digits, double factor) = Unit(text);
        return double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out double number)
            ? number * factor
            : null;
    }

    private static long? Whole(string text)
    {
        (string digits, double factor) = Unit(text);
        if (!decimal.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out decimal number)
            || decimal.Abs(number) > long.MaxValue)
        {
            return null;
        }

        decimal whole = number * (decimal)factor;
        return decimal.Truncate(whole) == whole && decimal.Abs(whole) <= long.MaxValue ? (long)whole : null;
    }

    /// <summary>Takes underscores between digits away, and a k, M or G at the end for its power of ten.</summary>
    private static (string Digits, double Factor) Unit(string text)
    {
        string digits = text.Replace("_", "", StringComparison.Ordinal);
        double factor = digits.Length == 0 ? 1 : digits[^1] switch { 'k' => 1e3, 'M' => 1e6, 'G' => 1e9, _ => 1 };
        return (factor == 1 ? digits : digits[..^1], factor);
    }

    private static object? Member(Type type, string text) =>
        Enum.GetNames(type).FirstOrDefault(n => Word(n) == text) is { } name ? Enum.Parse(type, name) : null;

    /// <summary>
    /// Returns a member as a recipe writes it: <c>RollBack</c> is <c>roll_back</c>, but for names that the field has.
    /// </summary>
    internal static string Word(string member) => member switch
    {
        nameof(OptimizerKind.AdamW) => "adamw",
        nameof(ScheduleKind.StableDecay) => "wsd",
        nameof(ScheduleKind.StableDecayRoot) => "wsd_root",
        _ => RecipeNames.Key(member),
    };

    private static string Name(Type type) => type switch
    {
        { IsEnum: true } => string.Join(", ", Enum.GetNames(type).Select(Word)),
        _ when type == typeof(bool) => "true or false",
        _ when type == typeof(string) => "a text",
        _ when type == typeof(double) => "a number",
        _ => "a whole number",
    };

    private static string Nearest(Type type, string text) =>
        type.IsEnum ? $" (did you mean {RecipeNames.Nearest(text, Enum.GetNames(type).Select(Word))}?)" : "";

    private static string Unknown(string key, string path, IEnumerable<string> known)
    {
        string section = path.Length == 0 ? "a recipe" : path;

        // A key that another section knows was most likely put into the wrong one.
        string? elsewhere =
            Sections().Where(s => Keys(s.Type).ContainsKey(key)).Select(s => $"{s.Path}.{key}").FirstOrDefault();
        string nearest = elsewhere is not null && RecipeNames.Distance(key, RecipeNames.Nearest(key, known)) > 1
            ? elsewhere
            : RecipeNames.Nearest(key, known);
        return $"{section} has no key \"{key}\"; did you mean {nearest}? (known: {string.Join(", ", known)})";
    }

    private static IEnumerable<(string Path, Type Type)> Sections() => Keys(typeof(Recipe))
        .Where(k => k.Value.PropertyType.Namespace == typeof(Recipe).Namespace)
        .Select(k => (k.Key, k.Value.PropertyType));

    private static string Describe(YamlNode node) => node switch
    {
        YamlMappingNode => "a group of keys",
        YamlSequenceNode => "a list",
        YamlScalarNode { Value: { } value } => $"\"{value}\"",
        _ => "empty",
    };

    private RecipeException Wrong(YamlNode node, string message) => new($"{tree.Where(node)}: {message}");
}
