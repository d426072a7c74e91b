using System.Text.RegularExpressions;
using Tessera.Tidy.Tests.Source;

namespace Tessera.Tidy.Tests.Rules;

/// <summary>
/// Holds the direction between folders where it matters: a folder's code names no type of a folder that it must not
/// know.
/// </summary>
internal sealed partial class FolderDirection : IRule
{
    // Folder, what it never names (folders, or types of the library's root), and why.
    private static readonly (string Folder, string[] Never, string Why)[] _directions =
    [
        ("Tessera.Tensors/Memory", ["Tessera.Tensors/Operations", "Tessera.Tensors/Kernels", "Tessera.Tensors/Files",
            "Tessera.Tensors/Threading", "Tensor", "Tape", "Parameter"], "memory is the ground"),
        ("Tessera.Tensors/Threading", ["Tessera.Tensors/Operations", "Tessera.Tensors/Kernels", "Tessera.Tensors/Files",
            "Tensor", "Tape", "Parameter"], "workers run any body"),
        ("Tessera.Tensors/Kernels", ["Tessera.Tensors/Files", "Ops", "Tape", "TapeNode"],
            "kernels compute; operations know what is recorded"),
        ("Tessera.Tensors/Files", ["Tessera.Tensors/Operations", "Tessera.Tensors/Kernels", "Tape"],
            "files hold tensors and compute nothing"),
        ("Tessera.Tensors/Operations", ["Tessera.Tensors/Files"], "an operation reads no file"),
        ("Tessera.Models/Tokenizers", ["Tessera.Models/Families", "Tessera.Models/Checkpoints", "Tessera.Models/Layers",
            "Transformer", "Tensor"], "a tokenizer needs no model"),
        ("Tessera.Models/Layers", ["Tessera.Models/Families", "Tessera.Models/Checkpoints",
            "Tessera.Models/Tokenizers"], "a layer is arithmetic"),
        ("Tessera.Inference/Sampling", ["Tessera.Models/Tokenizers", "Transformer", "Engine"],
            "a sampler turns one row of logits into a token"),
        ("Tessera.Training/Data", ["Tessera.Training/Runs", "Tessera.Training/Recipes", "Tessera.Training/Optimizers",
            "Transformer"], "data are tokens, whoever learns from them"),
        ("Tessera.Training/Optimizers", ["Tessera.Training/Data", "Tessera.Training/Runs", "Tessera.Training/Recipes",
            "Transformer"], "an optimizer sees parameters and gradients"),
        ("Tessera.Training/Recipes", ["Tessera.Training/Runs", "Transformer"],
            "a recipe says what is wanted; a run does it"),
    ];

    public string Name => "folder-direction";

    public IEnumerable<Finding> Check(Repository repository)
    {
        ILookup<string, string> homes = repository.Files.Where(file => file.IsProduct)
            .SelectMany(file => file.Members.Where(member => member is { Kind: MemberKind.Type, IsNested: false })
                .Select(member => (member.Name, Folder: FolderOf(file.Path))))
            .Distinct()
            .ToLookup(home => home.Name, home => home.Folder);
        foreach (SourceFile file in repository.Files.Where(file => file.IsProduct))
        {
            HashSet<string> own = [.. file.Members.Select(member => member.Name)];
            foreach ((_, string[] never, string why) in _directions.Where(rule => FolderOf(file.Path) == rule.Folder))
            {
                foreach (Match word in Words().Matches(file.Code).Where(word => !own.Contains(word.Value)))
                {
                    string[] of = [.. homes[word.Value]];
                    if ((of.Length == 1 && never.Contains(of[0])) || (of.Length > 0 && never.Contains(word.Value)))
                    {
                        yield return new Finding(file.Path, file.LineAt(word.Index), $"names {word.Value}: {why}");
                    }
                }
            }
        }
    }

    public IEnumerable<Repository> Violations() =>
    [
        Pair("Kernels/Sums.cs", "static class Sums { static void Add() => Ops.Softmax(); }"),
        Pair("Kernels/Sums.cs", "static class Sums { void Add() => global::Tessera.Tensors.Ops.Softmax(); }"),
        Repository.Of(
            ("src/Tessera.Tensors/Tape.cs", "namespace Tessera.Tensors; public sealed class Tape { }"),
            ("src/Tessera.Tensors/Kernels/Sums.cs", "static class Sums { static void Add(Tape tape) { } }")),
    ];

    public IEnumerable<Repository> NearMisses() =>
    [
        Pair("Kernels/Sums.cs", "// Ops.Softmax calls this\nstatic class Sums { string Name => \"Ops\"; }"),
        Pair("Kernels/Sums.cs", "static class Sums { void Add(Row row) => row.Ops(); }"),
        Pair("Kernels/Sums.cs", "enum Kind { Ops }\nstatic class Sums { Kind F() => Ops; }"),
        Pair("Sums.cs", "static class Sums { static void Add() => Ops.Softmax(); }"),
    ];

    private static Repository Pair(string path, string text) => Repository.Of(
        ("src/Tessera.Tensors/Operations/Softmax.cs", "namespace Tessera.Tensors; public static class Ops { }"),
        ("src/Tessera.Tensors/" + path, text));

    // Returns library and first folder, such as Tessera.Tensors/Kernels.
    private static string FolderOf(string path)
    {
        string[] parts = path.Split('/');
        return parts.Length > 3 ? $"{parts[1]}/{parts[2]}" : parts[1];
    }

    // Names; one after a dot is a member, unless the dot follows a namespace.
    [GeneratedRegex(@"(?<![\w.])[A-Z]\w*|(?<=\bTessera(?:\.\w+)*\.)[A-Z]\w*")]
    private static partial Regex Words();
}
