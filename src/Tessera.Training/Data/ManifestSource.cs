namespace Tessera.Training.Data;

/// <summary>Lists the files of one source.</summary>
/// <param name="Name">The source's name.</param>
/// <param name="Share">Its share of the rows of a run.</param>
/// <param name="Files">Its files.</param>
public sealed record ManifestSource(string Name, double Share, IReadOnlyList<TokenFileFacts> Files)
{
    /// <summary>Returns the entry of a source.</summary>
    public static ManifestSource Of(string name, double share, IReadOnlyList<TokenFile> files) =>
        new(name, share, [.. files.Select(f => f.Facts)]);
}
