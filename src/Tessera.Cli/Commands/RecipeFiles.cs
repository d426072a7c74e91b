using Tessera.Training.Recipes;

namespace Tessera.Cli.Commands;

/// <summary>Finds recipes by path or by name: in recipes/ here or above, or beside the program.</summary>
internal static class RecipeFiles
{
    /// <summary>Returns the path of a recipe.</summary>
    /// <exception cref="RecipeException">There is none; the message lists those that there are.</exception>
    public static string Find(string recipe)
    {
        if (File.Exists(recipe))
        {
            return recipe;
        }

        string[] folders = [.. Folders()];
        string? found = folders.Select(f => Path.Combine(f, recipe + ".yaml")).FirstOrDefault(File.Exists);
        string?[] known = [.. folders
            .SelectMany(f => Directory.GetFiles(f, "*.yaml"))
            .Select(Path.GetFileNameWithoutExtension)
            .Distinct()
            .Order()];
        string names = known.Length > 0 ? $", or one of: {string.Join(", ", known)}" : "";
        return found ?? throw new RecipeException($"{recipe}: no such recipe; name a YAML file{names}");
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
