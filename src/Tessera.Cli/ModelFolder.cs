using System.CommandLine;
using Tessera.Tensors.Files;

namespace Tessera.Cli;

/// <summary>Finds the folder or file of the model that a command is about.</summary>
internal static class ModelFolder
{
    /// <summary>The name of the model that comes with the program.</summary>
    public const string Bundled = "tessera-nano";

    /// <summary>Returns the argument that names a model.</summary>
    public static Argument<string?> Argument() => new("MODEL")
    {
        Description = "The folder of a model in Hugging Face's form, a GGUF file, or the name of one that came with "
            + $"tessera [default: {Bundled}]",
        Arity = ArgumentArity.ZeroOrOne,
    };

    /// <summary>Returns where a model is: a path, or the name of one beside the program.</summary>
    /// <exception cref="CommandFailedException">There is no such model.</exception>
    /// <exception cref="UnauthorizedAccessException">A folder on the way to it may not be entered.</exception>
    public static string Find(string? model)
    {
        if (model is not null && (Directory.Exists(model) || File.Exists(model)))
        {
            return model;
        }

        string name = model ?? Bundled;
        if (name == Path.GetFileName(name) && Beside(name) is { } found)
        {
            return found;
        }

        HiddenPath.ThrowIfHidden(model ?? AppContext.BaseDirectory);
        throw new CommandFailedException(model is null
            ? $"the bundled model {Bundled} is not beside the program ({AppContext.BaseDirectory}models); "
                + "give the folder of a model"
            : $"there is no model at {model}; give a folder that holds a config.json, a GGUF file, "
                + $"or one of: {Names()}");
    }

    private static string? Beside(string name)
    {
        string folder = Path.Combine(AppContext.BaseDirectory, "models", name);
        return Directory.Exists(folder) ? folder : null;
    }

    private static string Names()
    {
        string folder = Path.Combine(AppContext.BaseDirectory, "models");
        string?[] names = Directory.Exists(folder)
            ? [.. Directory.GetDirectories(folder).Select(Path.GetFileName).Order()]
            : [];
        return names.Length > 0 ? string.Join(", ", names) : "(none came with this program)";
    }
}
