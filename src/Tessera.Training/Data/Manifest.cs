using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tessera.Training.Data;

/// <summary>
/// Lists the data of a run: every file with its size, its hash, and the sources and licences that it states.
/// </summary>
public sealed record Manifest
{
    /// <summary>Gets the fingerprint of the tokenizer.</summary>
    public required string Tokenizer { get; init; }

    /// <summary>Gets what is learned from.</summary>
    public required IReadOnlyList<ManifestSource> Sources { get; init; }

    /// <summary>Gets what is only measured on.</summary>
    public IReadOnlyList<ManifestSource> HeldOut { get; init; } = [];

    /// <summary>Gets the tokens of all that is learned from, once.</summary>
    public long Tokens => Sources.Sum(s => s.Files.Sum(f => f.Tokens));

    /// <summary>Gets the documents of all that is learned from, by the licence that they state.</summary>
    public IReadOnlyDictionary<string, long> Licences => Sources
        .SelectMany(s => s.Files.SelectMany(f => f.Licences))
        .GroupBy(l => l.Key, l => l.Value)
        .OrderByDescending(g => g.Sum())
        .ToDictionary(g => g.Key, g => g.Sum());

    /// <summary>Gets the mixture's part of a manifest: each pool with its share.</summary>
    public static IReadOnlyList<ManifestSource> Of(Mixture mixture) =>
        [.. mixture.Pools.Select((pool, i) => ManifestSource.Of(pool.Name, mixture.Shares[i], pool.Files))];

    /// <summary>Returns the manifest as JSON.</summary>
    public JsonNode ToJson() => JsonSerializer.SerializeToNode(this, DataJson.Options)!;
}
