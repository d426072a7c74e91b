using Tessera.Tidy.Tests.Source;

namespace Tessera.Tidy.Tests.Rules;

/// <summary>
/// Keeps one public type to a file, and the file named after it (<c>Type.cs</c> or <c>Type.Part.cs</c>); a part of a
/// partial type is named after what it holds.
/// </summary>
internal sealed class OnePublicType : IRule
{
    public string Name => "one-public-type";

    public IEnumerable<Finding> Check(Repository repository)
    {
        foreach (SourceFile file in repository.Files.Where(file => file.IsCSharp))
        {
            Member[] types = [.. file.Members.Where(member =>
                member is { Kind: MemberKind.Type, IsNested: false, IsVisible: true })];
            foreach (Member type in types.Skip(1))
            {
                yield return new Finding(
                    file.Path, type.FirstLine + 1, $"{type.Name} is a second public type: give it a file of its own");
            }

            string name = Path.GetFileName(file.Path).Split('.')[0];
            if (types.Length > 0 && types.All(type => type.Name != name && !type.IsPartial))
            {
                yield return new Finding(
                    file.Path, types[0].FirstLine + 1, $"{types[0].Name} is in a file of another name");
            }
        }
    }

    public IEnumerable<Repository> Violations() =>
    [
        Repository.Of(("src/A.cs", "namespace X;\npublic class A { }\npublic sealed record B(int C);\n")),
        Repository.Of(("src/A.cs", "namespace X;\npublic class A { }\npublic delegate void B(int x);\n")),
        Repository.Of(("src/A.cs", "namespace X;\npublic readonly ref struct B { }\n")),
    ];

    public IEnumerable<Repository> NearMisses() =>
    [
        Repository.Of(("src/A.Part.cs", "public partial class A { public enum B { C } }\ninternal class D { }\n")),
        Repository.Of(("src/Softmax.cs", "public static partial class Ops { }\n")),
        Repository.Of(("src/A.cs", "public class A { public void F<T>(T x) where T : struct { } }\n")),
    ];
}
