using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace Tessera.Training.Recipes;

/// <summary>Holds the YAML of a recipe with where each value comes from, before it is bound to records.</summary>
internal sealed class RecipeTree
{
    /// <summary>The most characters of a recipe.</summary>
    public const int Largest = 1 << 20;

    private const int DeepestNesting = 32;
    private const int MostReferences = 100;
    private readonly Dictionary<YamlNode, string> _origins = new(ReferenceEqualityComparer.Instance);
    private readonly string _file;

    public RecipeTree(string text, string file)
    {
        _file = file;
        if (text.Length > Largest)
        {
            throw new RecipeException($"{file}: {text.Length} characters or more; a recipe has at most {Largest}");
        }

        YamlNode? root = Parse(text, file);
        Root = root switch
        {
            null => [],
            YamlMappingNode mapping => mapping,
            _ => throw new RecipeException(
                $"{file}:{root.Start.Line}: a recipe is a list of 'key: value', and this is not"),
        };
    }

    public YamlMappingNode Root { get; private set; }

    /// <summary>Says where a value comes from: file and line, or the option that set it.</summary>
    public string Where(YamlNode node) =>
        _origins.TryGetValue(node, out string? origin) ? origin : $"{_file}:{node.Start.Line}";

    /// <summary>
    /// Sets a value by its dotted path, as in <c>training.steps=500</c> or <c>data.sources.0.weight=2</c>.
    /// </summary>
    public void Set(string assignment)
    {
        int equals = assignment.IndexOf('=', StringComparison.Ordinal);
        string origin = $"--set {assignment}";
        if (equals <= 0)
        {
            throw new RecipeException($"{origin}: wanted key=value, such as training.steps=500");
        }

        YamlNode value = Parse(assignment[(equals + 1)..], origin) ?? new YamlScalarNode("");
        foreach (YamlNode node in value.AllNodes)
        {
            _origins[node] = origin;
        }

        string[] path = assignment[..equals].Split('.');
        YamlNode at = Root;
        for (int i = 0; i < path.Length - 1; i++)
        {
            at = Step(at, path[i], path[i + 1], origin);
        }

        Put(at, path[^1], value, origin);
    }

    /// <summary>
    /// Lays this tree over defaults: a mapping is merged key by key, everything else replaces what was there.
    /// </summary>
    public void LayOver(YamlMappingNode defaults) => Root = Merge(defaults, Root);

    /// <summary>Returns a mapping laid over another.</summary>
    public YamlMappingNode Merge(YamlMappingNode below, YamlMappingNode above)
    {
        YamlMappingNode merged = [];
        foreach ((YamlNode key, YamlNode value) in below.Children)
        {
            merged.Add(key, value);
        }

        foreach ((YamlNode key, YamlNode value) in above.Children)
        {
            merged.Children.TryGetValue(key, out YamlNode? old);
            merged.Children.Remove(key);
            merged.Add(key, old is YamlMappingNode under && value is YamlMappingNode over ? Merge(under, over) : value);
        }

        _origins[merged] = Where(above);
        return merged;
    }

    private static YamlNode? Parse(string text, string origin)
    {
        try
        {
            RequireModest(text, origin);
            YamlStream stream = [];
            stream.Load(new StringReader(text));
            return stream.Documents.Count switch
            {
                0 => null,
                1 => stream.Documents[0].RootNode,
                _ => throw new RecipeException($"{origin}: holds {stream.Documents.Count} YAML documents; wanted one"),
            };
        }
        catch (YamlException e)
        {
            throw new RecipeException($"{origin}:{e.Start.Line}: not YAML: {e.Message}", e);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            // What the library says to some broken texts, without a place.
            throw new RecipeException($"{origin}: not YAML", e);
        }
    }

    /// <summary>
    /// Refuses a text that would exhaust the stack when it is loaded, or that a few references blow up to billions of
    /// values.
    /// </summary>
    private static void RequireModest(string text, string origin)
    {
        Parser parser = new(new StringReader(text));
        for (int depth = 0, references = 0; parser.MoveNext();)
        {
            depth += parser.Current!.NestingIncrease;
            references += parser.Current is AnchorAlias ? 1 : 0;
            if (depth > DeepestNesting || references > MostReferences)
            {
                throw new RecipeException(
                    $"{origin}:{parser.Current.Start.Line}: nested deeper than {DeepestNesting} or more than "
                    + $"{MostReferences} references; a recipe needs neither");
            }
        }
    }

    private YamlNode Step(YamlNode at, string key, string next, string origin)
    {
        YamlNode? child = at switch
        {
            YamlMappingNode mapping =>
                mapping.Children.TryGetValue(new YamlScalarNode(key), out YamlNode? found) ? found : null,
            YamlSequenceNode list => list.Children.ElementAtOrDefault(Index(list, key, list.Children.Count, origin)),
            _ => throw new RecipeException($"{origin}: {key} is inside a single value"),
        };
        if (child is null or YamlScalarNode { Value: null or "" })
        {
            child = int.TryParse(next, out _) ? new YamlSequenceNode() : new YamlMappingNode();
            _origins[child] = origin;
            Put(at, key, child, origin);
        }

        return child;
    }

    private void Put(YamlNode at, string key, YamlNode value, string origin)
    {
        switch (at)
        {
            case YamlMappingNode mapping:
                YamlScalarNode name = new(key);
                _origins[name] = origin;
                mapping.Children.Remove(name);
                mapping.Add(name, value);
                break;
            case YamlSequenceNode list:
                int index = Index(list, key, list.Children.Count, origin);
                if (index == list.Children.Count)
                {
                    list.Add(value);
                }
                else
                {
                    list.Children[index] = value;
                }

                break;
            default:
                throw new RecipeException($"{origin}: {key} is inside a single value");
        }
    }

    private static int Index(YamlSequenceNode list, string key, int most, string origin) =>
        int.TryParse(key, out int index) && index >= 0 && index <= most
            ? index
            : throw new RecipeException(
                $"{origin}: \"{key}\" is no place in a list of {list.Children.Count}; places count from 0");
}
