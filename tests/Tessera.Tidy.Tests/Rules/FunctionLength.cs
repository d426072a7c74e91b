using Tessera.Tidy.Tests.Source;

namespace Tessera.Tidy.Tests.Rules;

/// <summary>Keeps a function within 70 lines, from its first modifier to its last brace.</summary>
internal sealed class FunctionLength : IRule
{
    private const int Most = 70;

    public string Name => "function-length";

    public IEnumerable<Finding> Check(Repository repository) =>
        from file in repository.Files
        where file.IsCSharp
        from member in file.Members
        where member.Kind == MemberKind.Function && member.Lines > Most
        select new Finding(
            file.Path, member.FirstLine + 1,
            $"{member.Name} has {member.Lines} lines; at most {Most}: give its parts names");

    public IEnumerable<Repository> Violations() =>
    [
        Repository.Of(("src/A.cs", "class A\n{\n    void Long()\n    {\n" + Statements(Most - 2) + "    }\n}\n")),
        Repository.Of(("src/A.cs", "class A\n{\n    int F(int x) => x switch\n{\n" + Arms(Most - 2) + "};\n}\n")),
        Repository.Of(("src/A.cs", "class A\n{\n    int X\n    {\n        get\n        {\n"
            + Statements(Most - 4) + "        }\n    }\n}\n")),
    ];

    public IEnumerable<Repository> NearMisses() =>
    [
        Repository.Of(("src/A.cs", "class A\n{\n    [Fact]\n    void F()\n{\n" + Statements(Most - 3) + "}\n}\n")),
        Repository.Of(("src/A.cs", "class A\n{\n    int[] x =\n    [\n" + Arms(Most) + "    ];\n}\n")),
        Repository.Of(("src/A.cs", "class A\n{\n" + Functions(Most) + "}\n")),
    ];

    private static string Statements(int lines) => string.Concat(Enumerable.Repeat("        F();\n", lines));

    private static string Functions(int count) =>
        string.Concat(Enumerable.Repeat("    void F()\n    {\n    }\n", count));

    private static string Arms(int lines) => string.Concat(Enumerable.Repeat("        1,\n", lines));
}
