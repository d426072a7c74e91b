namespace Tessera.Training.Recipes;

/// <summary>Makes the paths of a recipe independent of the folder that it was read from.</summary>
internal static class RecipePaths
{
    public static Recipe MakeAbsolute(Recipe recipe, string folder) => recipe with
    {
        Tokenizer = recipe.Tokenizer with { Path = Full(recipe.Tokenizer.Path, folder) },
        Data = MakeAbsolute(recipe.Data, folder),
        Evaluation = recipe.Evaluation with
        {
            HeldOut = [.. recipe.Evaluation.HeldOut.Select(h => h with { Path = Path.GetFullPath(h.Path, folder) })],
        },
        Stages = [.. recipe.Stages.Select(s => s with { Data = MakeAbsolute(s.Data, folder) })],
    };

    private static DataRecipe MakeAbsolute(DataRecipe data, string folder) => data with
    {
        Sources = [.. data.Sources.Select(s => s with { Path = Path.GetFullPath(s.Path, folder) })],
        Cache = Full(data.Cache, folder),
    };

    private static string? Full(string? path, string folder) => path is null ? null : Path.GetFullPath(path, folder);
}
