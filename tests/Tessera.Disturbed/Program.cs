using System.Diagnostics;
using Tessera.Disturbed;
using Tessera.Testing;

// Shows that the tests read the reference files: with the values of one kind of file disturbed, the tests of that kind
// fail. Arguments: parts of file patterns, to run only those kinds. The test projects must be built, in this
// configuration.
string configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
string source = SharedFiles.Roots[0];
using TemporaryFolder shared = new();
Kind[] kinds = [.. Kind.Table.Where(kind => args.Length == 0 || args.Any(kind.Files.Contains))];
int wrong = 0;
foreach (string folder in kinds.Select(kind => kind.Folder).Distinct())
{
    CopyFiles(folder, "*");
}

// The real models are too large to copy, and nothing disturbs them.
if (Directory.Exists(Path.Combine(source, "models")))
{
    Directory.CreateSymbolicLink(shared.Path("models"), Path.Combine(source, "models"));
}

// What fails without a disturbance shows nothing when it fails with one.
foreach (IGrouping<string, Kind> project in kinds.GroupBy(kind => kind.Project))
{
    string[] methods = [.. project.SelectMany(kind => kind.Methods).Distinct()];
    TestRun run = TestRun.Start(project.Key, methods, shared.Path(""), configuration);
    Report($"{project.Key} undisturbed", run, run is { Passed: > 0, Failed: 0 });
}

foreach (Kind kind in kinds)
{
    long start = Stopwatch.GetTimestamp();
    string[] files = Directory.GetFiles(
        shared.Path(Path.Combine("goldens", kind.Folder)), kind.Files, SearchOption.AllDirectories);
    foreach (string file in files)
    {
        Disturbance.Apply(file, kind.Leaves);
    }

    TestRun run = TestRun.Start(kind.Project, kind.Methods, shared.Path(""), configuration);
    bool noticed = files.Length > 0 && run.Failed > 0 && (run.Passed == 0 || !kind.All);
    Report($"{kind.Folder}/{kind.Files}, {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s", run, noticed);
    CopyFiles(kind.Folder, kind.Files);
}

Console.WriteLine(wrong == 0 ? "every kind of file is read by tests that notice" : $"{wrong} of these are WRONG");
return wrong == 0 ? 0 : 1;

void CopyFiles(string folder, string pattern)
{
    string from = Path.Combine(source, "goldens", folder);
    SearchOption depth = folder == "." ? SearchOption.TopDirectoryOnly : SearchOption.AllDirectories;
    foreach (string file in Directory.GetFiles(from, pattern, depth))
    {
        string target = shared.Path(Path.Combine("goldens", folder, Path.GetRelativePath(from, file)));
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        File.WriteAllBytes(target, File.ReadAllBytes(file));
    }
}

void Report(string what, TestRun run, bool good)
{
    string counts = $"{run.Passed} passed, {run.Failed} failed, {run.Skipped} skipped";
    Console.WriteLine($"{(good ? "ok   " : "WRONG")} {what}: {counts}");
    if (!good)
    {
        wrong++;
        Console.WriteLine(run.Output);
    }
}
