namespace Tessera.Tensors.Files;

/// <summary>
/// Writes folders whole or not at all: filled under another name beside the final one, synced, then renamed.
/// </summary>
/// <remarks>
/// What a killed process leaves behind, <c>.NAME.tmp</c>, is removed by the next writer of that folder. One writer a
/// folder at a time: two would fill the same temporary one.
/// </remarks>
public static class AtomicFolder
{
    /// <summary>
    /// Fills a folder by a callback, which gets the temporary folder's path; one that was there is replaced.
    /// </summary>
    /// <exception cref="IOException">The disk is full or fails; the message says so and names the folder.</exception>
    /// <exception cref="UnauthorizedAccessException">There is no permission to write beside the folder.</exception>
    public static void Write(string path, Action<string> fill)
    {
        string target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        string parent = Path.GetDirectoryName(target)
            ?? throw new UnauthorizedAccessException($"{path}: could not be written: it is the root");
        string temporary = Hidden(target, "tmp");
        try
        {
            Restore(path);
            if (Directory.Exists(temporary))
            {
                Directory.Delete(temporary, recursive: true);
            }

            Directory.CreateDirectory(temporary);
            try
            {
                fill(temporary);
                SyncAll(temporary);
                Replace(temporary, target);
            }
            catch
            {
                Directory.Delete(temporary, recursive: true);
                throw;
            }

            Durable.SyncFolder(parent);
        }
        catch (Exception error) when (FileFaults.IsFault(error))
        {
            throw FileFaults.Explain(error, path);
        }
    }

    /// <summary>
    /// Puts back the old folder where a writer was killed between taking it away and renaming the new one, which can
    /// only happen on systems that can't swap two folders at once. Call it before reading what <see cref="Write"/> has
    /// written.
    /// </summary>
    public static void Restore(string path)
    {
        string target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        string old = Hidden(target, "old");
        if (!Directory.Exists(old))
        {
            return;
        }

        if (Directory.Exists(target))
        {
            Directory.Delete(old, recursive: true);
        }
        else
        {
            Directory.Move(old, target);
        }
    }

    /// <summary>
    /// Puts the new folder in the old one's place without the one step of <see cref="Durable.TryExchange"/>.
    /// </summary>
    internal static void ReplaceInTwoSteps(string temporary, string target)
    {
        string old = Hidden(target, "old");
        Directory.Move(target, old);
        try
        {
            Directory.Move(temporary, target);
        }
        catch
        {
            Directory.Move(old, target);
            throw;
        }

        Directory.Delete(old, recursive: true);
    }

    private static void Replace(string temporary, string target)
    {
        if (!Directory.Exists(target))
        {
            Directory.Move(temporary, target);
        }
        else if (Durable.TryExchange(temporary, target))
        {
            Directory.Delete(temporary, recursive: true);
        }
        else
        {
            ReplaceInTwoSteps(temporary, target);
        }
    }

    private static void SyncAll(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            Durable.SyncFile(file);
        }

        foreach (string inner in Directory.EnumerateDirectories(folder, "*", SearchOption.AllDirectories))
        {
            Durable.SyncFolder(inner);
        }

        Durable.SyncFolder(folder);
    }

    private static string Hidden(string target, string kind) =>
        Path.Combine(Path.GetDirectoryName(target)!, $".{Path.GetFileName(target)}.{kind}");
}
