using System.Collections;
using System.Globalization;
using System.Reflection;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Tessera.Training.Recipes;

/// <summary>Writes a recipe with every value that it has, so that reading it again gives an equal one.</summary>
public static class RecipeWriter
{
    /// <summary>Returns the recipe as YAML.</summary>
    public static string Write(Recipe recipe)
    {
        // The depth is spent: what it stood for is written out. Each stage is whole, and needs nothing from above it.
        YamlMappingNode root = Mapping(recipe with { Depth = null });
        foreach (string key in (string[])["data", "training"])
        {
            root.Children.Remove(new YamlScalarNode(key));
        }

        return Text(root);
    }

    internal static string Text(YamlMappingNode root)
    {
        using StringWriter writer = new() { NewLine = "\n" };
        new YamlStream(new YamlDocument(root)).Save(writer, assignAnchors: false);
        string text = writer.ToString();

        // The library ends a document with a marker that a file of one doesn't need.
        return text.EndsWith("...\n", StringComparison.Ordinal) ? text[..^4] : text;
    }

    private static YamlMappingNode Mapping(object record)
    {
        YamlMappingNode node = [];
        foreach ((string key, PropertyInfo property) in RecipeBinder.Keys(record.GetType()))
        {
            if (property.GetValue(record) is { } value)
            {
                node.Add(key, Node(value));
            }
        }

        return node;
    }

    private static YamlNode Node(object value) => value switch
    {
        string text => new YamlScalarNode(text) { Style = ScalarStyle.DoubleQuoted },
        bool flag => new YamlScalarNode(flag ? "true" : "false"),
        double number => new YamlScalarNode(number.ToString("R", CultureInfo.InvariantCulture)),
        int or long => new YamlScalarNode(((IFormattable)value).ToString(null, CultureInfo.InvariantCulture)),
        Enum member => new YamlScalarNode(RecipeBinder.Word(member.ToString())),
        IEnumerable list => new YamlSequenceNode(list.Cast<object>().Select(Node)),
        _ => Mapping(value),
    };
}
