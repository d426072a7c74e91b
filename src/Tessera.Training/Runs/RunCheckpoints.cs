namespace Tessera.Training.Runs;

/// <summary>Keeps the checkpoints of a run: the last few, and the one with the lowest held-out loss.</summary>
/// <param name="folder">The folder that they lie in, each as <c>step-N</c>.</param>
/// <param name="keep">How many of the last are kept, at least 1.</param>
/// <param name="keepBest">Whether the best is kept too.</param>
public sealed class RunCheckpoints(string folder, int keep, bool keepBest)
{
    private const string Prefix = "step-";

    /// <summary>Writes a checkpoint whole or not at all, then removes those that are no longer kept.</summary>
    /// <exception cref="IOException">The disk is full or fails; the checkpoints before are intact.</exception>
    /// <exception cref="UnauthorizedAccessException">There is no permission to write.</exception>
    public RunCheckpoint Save(CheckpointContent content)
    {
        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, $"{Prefix}{content.State.Step}");
        RunCheckpoint written = RunCheckpoint.Write(path, content);
        Prune();
        return written;
    }

    /// <summary>Returns the newest checkpoint that is whole; null where there is none.</summary>
    /// <param name="broken">Hears of each newer one that is not.</param>
    public RunCheckpoint? Newest(Action<string>? broken = null)
    {
        foreach ((long _, string path) in Steps().OrderByDescending(s => s.Step))
        {
            if (TryOpen(path, broken) is { } whole)
            {
                return whole;
            }
        }

        return null;
    }

    /// <summary>Returns the whole checkpoint with the lowest held-out loss; null where none was measured.</summary>
    public RunCheckpoint? Best() => BestFolder() is { } path ? TryOpen(path, null) : null;

    /// <summary>Removes checkpoints of later steps: what a run that went back has left behind.</summary>
    public void RemoveAfter(long step)
    {
        foreach ((long _, string path) in Steps().Where(s => s.Step > step))
        {
            Directory.Delete(path, recursive: true);
        }
    }

    private static RunCheckpoint? TryOpen(string path, Action<string>? broken)
    {
        try
        {
            return RunCheckpoint.Open(path);
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            broken?.Invoke(e.Message);
            return null;
        }
    }

    /// <summary>
    /// Returns the folder of the lowest held-out loss by what the states say, without reading the rest.
    /// </summary>
    private string? BestFolder() => Steps()
        .Select(s => (s.Path, Loss: RunCheckpoint.HeldOutLossOf(s.Path)))
        .Where(s => s.Loss is not null)
        .OrderBy(s => s.Loss)
        .Select(s => s.Path)
        .FirstOrDefault();

    private List<(long Step, string Path)> Steps() => !Directory.Exists(folder)
        ? []
        : [.. Directory.GetDirectories(folder, Prefix + "*")
            .Select(path => (Name: Path.GetFileName(path)[Prefix.Length..], path))
            .Where(p => long.TryParse(p.Name, out long step) && step >= 0)
            .Select(p => (long.Parse(p.Name), p.path))
            .OrderBy(p => p.Item1)];

    private void Prune()
    {
        List<(long Step, string Path)> all = Steps();
        string? best = keepBest ? BestFolder() : null;
        foreach ((long _, string path) in all.SkipLast(keep).Where(s => s.Path != best))
        {
            Directory.Delete(path, recursive: true);
        }
    }
}
