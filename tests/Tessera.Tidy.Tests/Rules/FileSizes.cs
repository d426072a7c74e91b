using Tessera.Tidy.Tests.Source;

namespace Tessera.Tidy.Tests.Rules;

/// <summary>
/// Keeps a clone small: the fixtures within 15 MB, a bundled model within 25 MB, any other file within 1.5 MB.
/// </summary>
internal sealed class FileSizes : IRule
{
    private const long Megabyte = 1_000_000;

    public string Name => "file-sizes";

    public IEnumerable<Finding> Check(Repository repository)
    {
        Dictionary<string, long> folders = [];
        foreach ((string path, long size) in repository.Sizes)
        {
            string[] parts = path.Split('/');
            string? folder = parts switch
            {
                ["tests", "fixtures", ..] => "tests/fixtures",
                ["models", _, _, ..] => $"models/{parts[1]}",
                _ => null,
            };
            if (folder is not null)
            {
                folders[folder] = folders.GetValueOrDefault(folder) + size;
            }
            else if (size > 1.5 * Megabyte)
            {
                yield return new Finding(path, 0, $"{size} bytes; at most 1,500,000 outside fixtures and models");
            }
        }

        foreach ((string folder, long size) in folders)
        {
            long most = (folder == "tests/fixtures" ? 15 : 25) * Megabyte;
            if (size > most)
            {
                yield return new Finding(folder, 0, $"{size} bytes in all; at most {most}");
            }
        }
    }

    public IEnumerable<Repository> Violations() =>
    [
        Sized(("tests/fixtures/a", 8 * Megabyte), ("tests/fixtures/deep/b", 8 * Megabyte)),
        Sized(("models/tiny/a", 25 * Megabyte), ("models/tiny/b", 1)),
        Sized(("docs/images/a.png", 2 * Megabyte)),
    ];

    public IEnumerable<Repository> NearMisses() =>
        [Sized(("models/tiny/a", 25 * Megabyte), ("models/other/b", 1), ("tests/fixtures/a", 15 * Megabyte))];

    private static Repository Sized(params (string Path, long Size)[] files) =>
        new([], files.ToDictionary(file => file.Path, file => file.Size));
}
