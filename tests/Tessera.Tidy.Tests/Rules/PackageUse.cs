using System.Xml.Linq;
using Tessera.Tidy.Tests.Source;

namespace Tessera.Tidy.Tests.Rules;

/// <summary>
/// Keeps each package in the one library that hides it: machine code in Tensors, YAML in Training, the terminal in the
/// Cli. A package that the product doesn't list here has not been argued for.
/// </summary>
internal sealed class PackageUse : IRule
{
    private static readonly Dictionary<string, string[]> _homes = new()
    {
        ["Iced"] = ["Tessera.Tensors"],
        ["Microsoft.Extensions.AI.Abstractions"] = ["Tessera.Inference"],
        ["YamlDotNet"] = ["Tessera.Evals", "Tessera.Training"],
        ["Spectre.Console"] = ["Tessera.Cli"],
        ["System.CommandLine"] = ["Tessera.Cli"],
    };

    public string Name => "package-use";

    public IEnumerable<Finding> Check(Repository repository)
    {
        foreach (SourceFile file in repository.Files.Where(file => file.IsProductProject))
        {
            string project = ProjectReferences.NameOf(file.Path);
            foreach (string package in ProjectReferences.Included(XDocument.Parse(file.Text), "PackageReference"))
            {
                if (!_homes.TryGetValue(package, out string[]? homes))
                {
                    yield return new Finding(file.Path, 0, $"{package} is not among the packages of the product");
                }
                else if (!homes.Contains(project))
                {
                    yield return new Finding(file.Path, 0, $"{package} belongs in {string.Join(" or ", homes)} alone");
                }
            }
        }
    }

    public IEnumerable<Repository> Violations() =>
    [
        ProjectReferences.Project("Tessera.Models", """<PackageReference Include="Iced" />"""),
        ProjectReferences.Project("Tessera.Tensors", """<PackageReference Include="System.Numerics.Tensors" />"""),
    ];

    public IEnumerable<Repository> NearMisses() =>
    [
        ProjectReferences.Project("Tessera.Tensors", """<PackageReference Include="Iced" />"""),
        Repository.Of(("tests/X.Tests/X.csproj", """<Project><PackageReference Include="xunit.v3" /></Project>""")),
    ];
}
