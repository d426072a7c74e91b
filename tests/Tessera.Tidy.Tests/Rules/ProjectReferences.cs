using System.Xml.Linq;
using Tessera.Tidy.Tests.Source;

namespace Tessera.Tidy.Tests.Rules;

/// <summary>
/// Holds the line Tensors ← Models ← Inference ← Evals ← Training ← Cli, with the server on Inference alone and the Cli
/// on the server as well: a project refers to nothing to its right. Only tests and benches see a library's internals.
/// </summary>
internal sealed class ProjectReferences : IRule
{
    // What each project may refer to. A project that is missing here has no place in the line yet: give it one.
    private static readonly Dictionary<string, string[]> _allowed = new()
    {
        ["Tessera.Tensors"] = [],
        ["Tessera.Models"] = ["Tessera.Tensors"],
        ["Tessera.Inference"] = ["Tessera.Models", "Tessera.Tensors"],
        ["Tessera.Evals"] = ["Tessera.Inference", "Tessera.Models", "Tessera.Tensors"],
        ["Tessera.Training"] = ["Tessera.Evals", "Tessera.Inference", "Tessera.Models", "Tessera.Tensors"],
        ["Tessera.Server"] = ["Tessera.Inference", "Tessera.Models", "Tessera.Tensors"],
        ["Tessera.Web"] = [],
        ["Tessera.Cli"] =
        [
            "Tessera.Training", "Tessera.Evals", "Tessera.Server", "Tessera.Inference", "Tessera.Models",
            "Tessera.Tensors",
        ],
    };

    public string Name => "project-references";

    public IEnumerable<Finding> Check(Repository repository)
    {
        foreach (SourceFile file in repository.Files.Where(file => file.IsProductProject))
        {
            string project = NameOf(file.Path);
            XDocument document = XDocument.Parse(file.Text);
            if (!_allowed.TryGetValue(project, out string[]? allowed))
            {
                yield return new Finding(file.Path, 0, $"{project} has no place in the line of libraries");
                continue;
            }

            foreach (string reference in Included(document, "ProjectReference").Select(NameOf))
            {
                if (!allowed.Contains(reference))
                {
                    yield return new Finding(
                        file.Path, 0, $"{project} refers to {reference}, which stands to its right");
                }
            }

            foreach (string friend in Included(document, "InternalsVisibleTo"))
            {
                if (!friend.EndsWith(".Tests", StringComparison.Ordinal)
                    && friend is not "Tessera.Bench" and not "Tessera.Bench.Torch")
                {
                    yield return new Finding(
                        file.Path, 0, $"{friend} sees the internals; only tests and benches may");
                }
            }
        }
    }

    public IEnumerable<Repository> Violations() =>
    [
        Project("Tessera.Tensors", """<ProjectReference Include="../Tessera.Models/Tessera.Models.csproj" />"""),
        Project("Tessera.Server", """<ProjectReference Include="..\Tessera.Training\Tessera.Training.csproj" />"""),
        Project("Tessera.Inference", """<ProjectReference Include="../../tests/X.Testing/X.Testing.csproj" />"""),
        Project("Tessera.Models", """<InternalsVisibleTo Include="Tessera.Training" />"""),
        Project("Tessera.Newcomer", ""),
    ];

    public IEnumerable<Repository> NearMisses() =>
    [
        Project("Tessera.Training", """<ProjectReference Include="../Tessera.Inference/Tessera.Inference.csproj" />"""),
        Project("Tessera.Tensors", """<InternalsVisibleTo Include="Tessera.Tensors.Tests" />"""),
        Repository.Of(("tests/X.Tests/X.Tests.csproj",
            """<Project><ProjectReference Include="../../src/Tessera.Cli/Tessera.Cli.csproj" /></Project>""")),
    ];

    internal static Repository Project(string name, string item) =>
        Repository.Of(($"src/{name}/{name}.csproj", $"<Project><ItemGroup>{item}</ItemGroup></Project>"));

    internal static IEnumerable<string> Included(XDocument project, string element) =>
        project.Descendants(element).Attributes("Include").Select(include => include.Value);

    internal static string NameOf(string path) => Path.GetFileNameWithoutExtension(path.Replace('\\', '/'));
}
