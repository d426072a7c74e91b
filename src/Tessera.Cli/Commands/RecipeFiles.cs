using Tessera.Tensors.Files;
using Tessera.Training.Recipes;

namespace Tessera.Cli.Commands;

/// <summary>Finds recipes by path or by name: in recipes/ here or above, or beside the program.</summary>
internal static class RecipeFiles
{
    /// <summary>Returns the path of a recipe.</summary>
    /// <exception cref="RecipeException">There is none; the message lists those that there are.</exception>
    /// <exception cref="UnauthorizedAccessException">A folder on the way to it may not be entered.</exception>
    public static string Find(string recipe)
    {
        if (File.Exists(recipe))
        {
            return recipe;
        }

        HiddenPath.ThrowIfHidden(recipe);
        string[] folders = [.. Folders()];
        return folders.Select(f => Path.Combine(f, recipe + ".yaml")).FirstOrDefault(File.Exists)
            ?? throw new RecipeException($"{recipe}: no such recipe; name a YAML file{Known(folders)}");
    }

    private static string Known(string[] folders)
    {
        // With options of its own, since the usual ones end at a folder that may not be read.
        string?[] known = [.. folders
            .SelectMany(f => Directory.EnumerateFiles(f, "*.yaml", new EnumerationOptions()))
            .Select(Path.GetFileNameWithoutExtension)
            .Distinct()
            .Order()];
        return known.Length > 0 ? $", or one of: {string.Join(", ", known)}" : "";
    }

    private static IEnumerable<string> Folders()
    {
        for (DirectoryInfo? at = new(Environment.CurrentDirectory); at is not null; at = at.Parent)
        {
            string here = Path.Combine(at.FullName, "recipes");
            if (Directory.Exists(here))
            {
                yield return here;
            }
        }

        string beside = Path.Combine(AppContext.BaseDirectory, "recipes");
        if (Directory.Exists(beside))
        {
            yield return beside;
        }
    }
}
