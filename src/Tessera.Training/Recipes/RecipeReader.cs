using YamlDotNet.RepresentationModel;

namespace Tessera.Training.Recipes;

/// <summary>Reads recipes: YAML with few keys, in which an unknown one is an error.</summary>
public static class RecipeReader
{
    /// <summary>Reads a recipe's file; paths in it start from its folder.</summary>
    /// <param name="path">The file.</param>
    /// <param name="settings">Values that go before the file's, each as <c>key=value</c> with a dotted key.</param>
    /// <exception cref="RecipeException">A key or a value is wrong; the message says where and what was
    /// wanted.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static Recipe Load(string path, IEnumerable<string>? settings = null)
    {
        string full = Path.GetFullPath(path);

        // One character more than a recipe may have is enough to refuse it, whatever the file's size.
        char[] text = new char[RecipeTree.Largest + 1];
        using StreamReader reader = new(full);
        int length = reader.ReadBlock(text);
        return Read(new string(text, 0, length), path, Path.GetDirectoryName(full)!, settings);
    }

    /// <summary>Makes a recipe for one's own texts, with defaults that work and a depth as the only dial.</summary>
    /// <param name="sources">Files, folders or globs.</param>
    /// <param name="depth">The number of layers, from which the rest follows.</param>
    /// <param name="folder">The folder that relative paths start from.</param>
    /// <param name="settings">Values that go before these, each as <c>key=value</c> with a dotted key.</param>
    public static Recipe OfTexts(
        IEnumerable<string> sources, int depth, string folder, IEnumerable<string>? settings = null)
    {
        YamlSequenceNode paths =
            [.. sources.Select(s => new YamlScalarNode(s) { Style = YamlDotNet.Core.ScalarStyle.SingleQuoted })];
        YamlMappingNode root = new()
        {
            { "depth", depth.ToString() },
            { "data", new YamlMappingNode { { "sources", paths }, { "hold_out", "0.02" } } },
        };
        return Read(RecipeWriter.Text(root), "--data", folder, settings);
    }

    /// <summary>Reads a recipe's text.</summary>
    /// <param name="text">The YAML.</param>
    /// <param name="name">The file's name in messages.</param>
    /// <param name="folder">The folder that relative paths start from.</param>
    /// <param name="settings">Values that go before the text's, each as <c>key=value</c> with a dotted key.</param>
    /// <exception cref="RecipeException">A key or a value is wrong; the message says where and what was
    /// wanted.</exception>
    public static Recipe Read(string text, string name, string folder, IEnumerable<string>? settings = null)
    {
        RecipeTree tree = new(text, name);
        foreach (string setting in settings ?? [])
        {
            tree.Set(setting);
        }

        RecipeBinder binder = new(tree);
        try
        {
            if (binder.Bind<Recipe>(tree.Root, "") is { Depth: { } depth })
            {
                tree.LayOver(DepthDefaults.For(depth, tree.Root, binder));
            }

            List<StageRecipe> stages = Stages(tree, binder);
            Recipe recipe = binder.Bind<Recipe>(tree.Root, "") with
            {
                Data = stages[0].Data,
                Training = stages[0].Training,
                Stages = stages,
            };
            return RecipePaths.MakeAbsolute(recipe, folder).Validate();
        }
        catch (Exception e) when (e is ArgumentException or InvalidDataException)
        {
            throw new RecipeException($"{name}: {e.Message}", e);
        }
    }

    private static List<StageRecipe> Stages(RecipeTree tree, RecipeBinder binder)
    {
        YamlMappingNode below = [];
        foreach (string section in (string[])["data", "training"])
        {
            if (tree.Root.Children.TryGetValue(section, out YamlNode? stated))
            {
                below.Add(section, stated);
            }
        }

        // A single value stands for a list of it, here as everywhere.
        tree.Root.Children.TryGetValue("stages", out YamlNode? node);
        IReadOnlyList<YamlNode> stages = node switch
        {
            YamlSequenceNode list => [.. list.Children],
            YamlMappingNode one => [one],
            _ => [],
        };
        if (stages.Count == 0)
        {
            return [binder.Bind<StageRecipe>(below, "")];
        }

        List<StageRecipe> bound = [];
        foreach (YamlNode stage in stages)
        {
            YamlMappingNode whole = stage is YamlMappingNode over ? tree.Merge(below, over) : [];
            bound.Add(binder.Bind<StageRecipe>(DropOtherLengths(whole, stage), $"stages.{bound.Count}"));
        }

        return bound;
    }

    /// <summary>A stage that states its length in one unit doesn't have it from the recipe in another.</summary>
    private static YamlMappingNode DropOtherLengths(YamlMappingNode whole, YamlNode stage)
    {
        YamlScalarNode[] units = [new("steps"), new("tokens"), new("passes")];
        if (stage is YamlMappingNode over && over.Children.TryGetValue("training", out YamlNode? stated)
            && stated is YamlMappingNode training && units.Any(training.Children.ContainsKey)
            && whole.Children["training"] is YamlMappingNode merged)
        {
            foreach (YamlScalarNode unit in units.Where(u => !training.Children.ContainsKey(u)))
            {
                merged.Children.Remove(unit);
            }
        }

        return whole;
    }
}
