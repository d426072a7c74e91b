using System.Text.RegularExpressions;
using Tessera.Tidy.Tests.Source;

namespace Tessera.Tidy.Tests.Rules;

/// <summary>Names calls that the repository does without, with what takes their place.</summary>
internal sealed class BannedCalls : IRule
{
    private static readonly (Regex Call, Func<string, bool> Where, string Instead)[] _bans =
    [
        Ban(@"Random\.Shared\b|\bnew Random\(\)", Anywhere, "pass a Random that was made from a seed"),
        Ban(@"DateTime(Offset)?\.(Now|UtcNow|Today)\b", Anywhere, "take a TimeProvider"),
        Ban(@"GC\.Collect\b", Anywhere, "memory has an owner that frees it"),
        Ban(@"Thread\.Sleep\b", Anywhere, "wait for an event, not for time"),
        Ban(@"Task\.Delay\b", InTests, "wait for an event, or move a clock of the test's own"),
        Ban(@"async void\b", Anywhere, "return a Task, so that its failure is seen"),
        Ban(@"Console\.", InLibraries, "return it, or take a TextWriter; the Cli owns the terminal"),
        Ban(@"Environment\.(Exit|FailFast)\b", InLibraries, "throw; the Cli chooses the exit code"),
        Ban(@"Stopwatch\b|\bEnvironment\.TickCount", InLibraries, "take a TimeProvider"),
        Ban(@"Guid\.NewGuid\b|\bRandomNumberGenerator\b", InCore, "chance comes from a seed"),
        Ban(@"Parallel\.(For|ForEach|Invoke)\b", InLibraries, "Workers.Run"),
        Ban(@"(GetTemp\w+|CreateTempSubdirectory)\b", InLibraries, "write beside the target (AtomicFile)"),
    ];

    public string Name => "banned-calls";

    public IEnumerable<Finding> Check(Repository repository)
    {
        foreach (SourceFile file in repository.Files.Where(file => file.IsCSharp))
        {
            foreach ((Regex call, Func<string, bool> where, string instead) in _bans.Where(ban => ban.Where(file.Path)))
            {
                foreach (Match match in call.Matches(file.Code))
                {
                    yield return new Finding(file.Path, file.LineAt(match.Index), $"{match.Value}: {instead}");
                }
            }

            foreach ((int index, string line) in file.Lines.Index())
            {
                string start = line.TrimStart();
                if (start.StartsWith("#region", StringComparison.Ordinal))
                {
                    yield return new Finding(file.Path, index + 1, "#region: split the file");
                }
                else if (start.StartsWith("#pragma warning disable CS1591", StringComparison.Ordinal))
                {
                    yield return new Finding(file.Path, index + 1, "CS1591 silenced: write the summary");
                }
            }
        }
    }

    public IEnumerable<Repository> Violations() =>
    [
        In("src/Tessera.Models/A.cs", "int x = Random.Shared.Next();"),
        In("tests/A.cs", "Random x = new Random();"),
        In("bench/A.cs", "var x = DateTime.UtcNow;"),
        In("bench/A.cs", "var x = DateTimeOffset.Now;"),
        In("tests/A.cs", "GC.Collect();"),
        In("tests/A.cs", "Thread.Sleep(1);"),
        In("tests/A.cs", "await Task.Delay(1);"),
        In("tests/A.cs", "async void F() { }"),
        In("src/Tessera.Inference/A.cs", "Console.WriteLine(1);"),
        In("src/Tessera.Inference/A.cs", "string s = $\"a{Console.ReadLine()}\";"),
        In("src/Tessera.Training/A.cs", "Environment.Exit(1);"),
        In("src/Tessera.Training/A.cs", "long x = Stopwatch.GetTimestamp();"),
        In("src/Tessera.Inference/A.cs", "var x = Guid.NewGuid();"),
        In("src/Tessera.Training/A.cs", "Parallel.For(0, 1, F);"),
        In("src/Tessera.Training/A.cs", "string x = Path.GetTempFileName();"),
        Repository.Of(("src/A.cs", "class A\n{\n    #region Fields\n    #endregion\n}\n")),
        Repository.Of(("src/A.cs", "#pragma warning disable CS1591\nclass A { }\n")),
    ];

    public IEnumerable<Repository> NearMisses() =>
    [
        In("src/Tessera.Cli/A.cs", "Console.WriteLine(1);"),
        In("src/Tessera.Server/A.cs", "var x = Guid.NewGuid();"),
        In("src/Tessera.Models/A.cs", "// Random.Shared\nstring s = \"Random.Shared\" + @\"\"\"GC.Collect\" + 'x';"),
        In("src/Tessera.Models/A.cs", "string s = $\"{{Console.Out}}\" + $$\"\"\"{Console.Out}\"\"\";"),
        In("tests/A.cs", "long x = Stopwatch.GetTimestamp(); Random y = new Random(1);"),
    ];

    private static (Regex Call, Func<string, bool> Where, string Instead) Ban(
        string call, Func<string, bool> where, string instead) =>
        (new Regex(@"\b(?:" + call + ")", RegexOptions.CultureInvariant), where, instead);

    private static Repository In(string path, string statement) =>
        Repository.Of((path, $"class A\n{{\n    void F()\n    {{\n        {statement}\n    }}\n}}\n"));

    private static bool Anywhere(string path) => true;

    private static bool InTests(string path) => path.StartsWith("tests/", StringComparison.Ordinal);

    private static bool InLibraries(string path) => path.StartsWith("src/", StringComparison.Ordinal)
        && !path.StartsWith("src/Tessera.Cli/", StringComparison.Ordinal);

    private static bool InCore(string path) =>
        InLibraries(path) && !path.StartsWith("src/Tessera.Server/", StringComparison.Ordinal);
}
