using Tessera.Tidy.Tests.Source;

namespace Tessera.Tidy.Tests.Rules;

/// <summary>
/// Wants a summary, or an inherited one, above everything that another assembly can see of the product. The compiler
/// asks for a comment; this asks that the comment says something.
/// </summary>
internal sealed class PublicSummary : IRule
{
    public string Name => "public-summary";

    public IEnumerable<Finding> Check(Repository repository)
    {
        // Of a partial type one part says what the whole is.
        HashSet<string> said = [.. from file in repository.Files
            where file.IsProduct
            from member in file.Members
            where member.IsPartial && HasSummary(CommentAbove(file, member.TopLine))
            select member.Name];
        return from file in repository.Files
               where file.IsProduct
               from member in file.Members
               where member.IsVisible && !member.Header.Contains(" override ", StringComparison.Ordinal)
               let comment = CommentAbove(file, member.TopLine)
               where !comment.Contains("<inheritdoc", StringComparison.Ordinal) && !HasSummary(comment)
                   && !(member.IsPartial && said.Contains(member.Name))
               select new Finding(file.Path, member.FirstLine + 1, $"{member.Name} has no summary");
    }

    public IEnumerable<Repository> Violations() =>
    [
        Product("public class A { }"),
        Product("public partial class A { }"),
        Product("/// <remarks>Why.</remarks>\npublic class A { }"),
        Product("/// <summary></summary>\npublic class A { }"),
        Product("/// <summary>Is.</summary>\npublic class A\n{\n    public int B => 1;\n}"),
        Product("/// <summary>Is.</summary>\npublic interface A\n{\n    int B { get; }\n}"),
        Product("/// <summary>Is.</summary>\npublic enum A\n{\n    /// <summary>Is.</summary>\n    B,\n    C,\n}"),
    ];

    public IEnumerable<Repository> NearMisses() =>
    [
        Product("class A\n{\n    public int B => 1;\n}"),
        Product("/// <summary>\n/// Is.\n/// </summary>\n[Flags]\npublic class A\n{\n    int B => 1;\n}"),
        Product("/// <summary>Is.</summary>\npublic class A\n{\n    /// <inheritdoc/>\n    public void B() { }\n}"),
        Product("/// <summary>Is.</summary>\npublic class A\n{\n    public override string ToString() => \"\";\n}"),
        Product("/// <summary>Is.</summary>\npublic enum A\n{\n    /// <summary>Is.</summary>\n    B = 1,\n}"),
        Repository.Of(
            ("src/A.cs", "public partial class Ops { }\n"),
            ("src/Ops.cs", "/// <summary>Is.</summary>\npublic partial class Ops { }\n")),
        Repository.Of(("tests/A.cs", "public class A { }\n")),
    ];

    private static Repository Product(string text) => Repository.Of(("src/A.cs", text + "\n"));

    private static string CommentAbove(SourceFile file, int line)
    {
        int first = line;
        while (first > 0 && file.Lines[first - 1].TrimStart() is string above
            && (above.StartsWith("///", StringComparison.Ordinal) || above.StartsWith('#')))
        {
            first--;
        }

        return string.Join('\n', file.Lines.Skip(first).Take(line - first));
    }

    private static bool HasSummary(string comment)
    {
        int start = comment.IndexOf("<summary>", StringComparison.Ordinal);
        int end = comment.IndexOf("</summary>", StringComparison.Ordinal);
        return start >= 0 && end > start && comment[(start + 9)..end].Any(char.IsLetter);
    }
}
