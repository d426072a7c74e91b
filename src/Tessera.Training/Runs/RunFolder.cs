using System.Text.Json;
using System.Text.Json.Nodes;
using Tessera.Tensors.Files;
using Tessera.Training.Data;
using Tessera.Training.Recipes;

namespace Tessera.Training.Runs;

/// <summary>
/// Holds a run on disk: <c>recipe.yaml</c>, <c>tokenizer.json</c>, <c>manifest.json</c>, <c>metrics.jsonl</c>,
/// <c>report.html</c> and <c>checkpoints/</c>. One process at a time works in it.
/// </summary>
public sealed class RunFolder : IDisposable
{
    private const string RecipeName = "recipe.yaml";
    private readonly FileStream _lock;

    private RunFolder(string path, Recipe recipe, FileStream folderLock)
    {
        (Path, Recipe, _lock) = (path, recipe, folderLock);
        Checkpoints = new RunCheckpoints(In("checkpoints"), recipe.Checkpoints.Keep, recipe.Checkpoints.Best);
        Metrics = new MetricsFile(In("metrics.jsonl"));
    }

    /// <summary>Gets the folder.</summary>
    public string Path { get; }

    /// <summary>Gets the recipe, complete.</summary>
    public Recipe Recipe { get; }

    /// <summary>Gets the checkpoints.</summary>
    public RunCheckpoints Checkpoints { get; }

    /// <summary>Gets the metrics.</summary>
    public MetricsFile Metrics { get; }

    /// <summary>Gets the path of the run's tokenizer.</summary>
    public string TokenizerPath => In("tokenizer.json");

    /// <summary>Gets the path of the report.</summary>
    public string ReportPath => In("report.html");

    /// <summary>Begins a run in a folder that is not there yet, or is empty.</summary>
    /// <exception cref="IOException">There is a run in the folder, or it can't be written.</exception>
    /// <exception cref="UnauthorizedAccessException">There is no permission to write there.</exception>
    public static RunFolder Create(string path, Recipe recipe)
    {
        string full = System.IO.Path.GetFullPath(path);
        if (File.Exists(full))
        {
            throw new IOException($"{path}: is a file; a run needs a folder of its own");
        }

        if (File.Exists(System.IO.Path.Combine(full, RecipeName)))
        {
            throw new IOException($"{path}: holds a run; go on with it by --resume, or name another folder");
        }

        if (Directory.Exists(full) && Directory.EnumerateFileSystemEntries(full).Any(e => !IsLock(e)))
        {
            throw new IOException($"{path}: holds other files; a run needs a folder of its own");
        }

        Directory.CreateDirectory(full);
        FileStream folderLock = Lock(full, path);
        AtomicFile.Write(System.IO.Path.Combine(full, RecipeName), RecipeWriter.Write(recipe));
        return new RunFolder(full, recipe, folderLock);
    }

    /// <summary>Opens a run to go on with.</summary>
    /// <exception cref="IOException">There is no run in the folder, or another process works in it.</exception>
    /// <exception cref="RecipeException">The recipe in it was changed and is wrong.</exception>
    public static RunFolder Open(string path)
    {
        string full = System.IO.Path.GetFullPath(path), recipe = System.IO.Path.Combine(full, RecipeName);
        if (!File.Exists(recipe))
        {
            HiddenPath.ThrowIfHidden(recipe);
            throw new FileNotFoundException($"{path}: holds no run: there is no {RecipeName} in it", recipe);
        }

        Recipe loaded = RecipeReader.Load(recipe);
        return new RunFolder(full, loaded, Lock(full, path));
    }

    /// <summary>
    /// Writes the list of the data of one stage into manifest.json, beside those of the other stages.
    /// </summary>
    /// <exception cref="InvalidDataException">The manifest that is there is no JSON object.</exception>
    public void Save(Manifest manifest, StageRecipe stage)
    {
        string path = In("manifest.json");
        JsonObject stages = File.Exists(path) ? ReadManifest(path) : [];
        stages[stage.Name] = manifest.ToJson();
        AtomicFile.Write(path, stages.ToJsonString(DataJson.Options));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Metrics.Dispose();
        _lock.Dispose();
    }

    private static JsonObject ReadManifest(string path)
    {
        try
        {
            return JsonNode.Parse(File.ReadAllBytes(path)) as JsonObject
                ?? throw new InvalidDataException($"{path}: is no JSON object; delete it, and it is written again");
        }
        catch (JsonException broken)
        {
            throw new InvalidDataException($"{path}: {broken.Message}; delete it, and it is written again", broken);
        }
    }

    private static bool IsLock(string path) => System.IO.Path.GetFileName(path) == ".lock";

    /// <summary>
    /// Takes the folder for this process; the system gives it back when the process ends, however it does.
    /// </summary>
    private static FileStream Lock(string full, string path)
    {
        try
        {
            return new FileStream(
                System.IO.Path.Combine(full, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new IOException($"{path}: another process works in this folder ({e.Message})", e);
        }
    }

    private string In(string name) => System.IO.Path.Combine(Path, name);
}
