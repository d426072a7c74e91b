using System.Text.RegularExpressions;
using Tessera.Tidy.Tests.Source;

namespace Tessera.Tidy.Tests.Rules;

/// <summary>
/// Keeps one person's machine out of the repository: no absolute path of a home or a work folder, and no address of a
/// host that isn't on the list of public ones.
/// </summary>
internal sealed partial class PrivatePlaces : IRule
{
    private static readonly HashSet<string> _publicHosts =
    [
        "github.com", "raw.githubusercontent.com", "huggingface.co", "arxiv.org", "doi.org", "www.nuget.org",
        "learn.microsoft.com", "dotnet.microsoft.com", "platform.openai.com", "www.unicode.org", "www.w3.org",
        "json-schema.org", "opensource.org", "keepachangelog.com", "semver.org", "www.gutenberg.org", "spdx.org",
        "localhost", "127.0.0.1", "example.com",
    ];

    public string Name => "private-places";

    public IEnumerable<Finding> Check(Repository repository)
    {
        foreach (SourceFile file in repository.Files)
        {
            foreach (Match match in PrivatePath().Matches(file.Text))
            {
                yield return new Finding(file.Path, file.LineAt(match.Index), $"{match.Value}: a path of one machine");
            }

            foreach (Match match in Address().Matches(file.Text))
            {
                string host = match.Groups["host"].Value;
                if (!_publicHosts.Contains(host))
                {
                    yield return new Finding(
                        file.Path, file.LineAt(match.Index), $"{host} is not on the list of public hosts");
                }
            }
        }
    }

    public IEnumerable<Repository> Violations() =>
    [
        Repository.Of(("src/A.cs", "// see /ho" + "me/someone/notes\n")),
        Repository.Of((".ci/run", "cd /wo" + "rk/tree\n")),
        Repository.Of(("docs/a.md", "in C:\\Us" + "ers\\someone\n")),
        Repository.Of(("README.md", "from http" + "s://build.corp.internal:8443/feed\n")),
    ];

    public IEnumerable<Repository> NearMisses() =>
    [
        Repository.Of(("README.md", "[a](https://github.com/x/home/work), http://127.0.0.1:8080/v1, docs/home/work\n")),
        Repository.Of(("src/A.cs", "// ../home/x, ~/work/x, x/root/y\n")),
    ];

    [GeneratedRegex(@"(?<![\w.~/\-:])/(?:work|home|root|Users|mnt|media)/\w*|\b[A-Z]:\\Users\b")]
    private static partial Regex PrivatePath();

    [GeneratedRegex(@"\b(?:https?|wss?|ssh|git)://(?<host>[\w.\-]+)")]
    private static partial Regex Address();
}
