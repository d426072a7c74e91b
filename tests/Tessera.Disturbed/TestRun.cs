using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Tessera.Testing;

namespace Tessera.Disturbed;

/// <summary>The outcome of some tests: how many passed, failed and were skipped.</summary>
internal sealed partial record TestRun(int Passed, int Failed, int Skipped, string Output)
{
    /// <summary>Runs the tests of a project that match, with the reference files from a folder.</summary>
    public static TestRun Start(string project, IEnumerable<string> methods, string shared, string configuration)
    {
        string name = $"Tessera.{project}.Tests";
        string program = Path.Combine(SharedFiles.RepositoryRoot, "artifacts", "bin", name, configuration, name);
        ProcessStartInfo start = new(OperatingSystem.IsWindows() ? program + ".exe" : program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["TESSERA_SHARED"] = shared;
        start.ArgumentList.Add("-noColor");
        foreach (string method in methods)
        {
            start.ArgumentList.Add("-method");
            start.ArgumentList.Add(method);
        }

        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd() + errors.Result;
        process.WaitForExit();
        Match summary = Summary().Match(output);
        if (!summary.Success)
        {
            throw new InvalidOperationException($"{name} gave no summary:\n{output}");
        }

        int Number(string group) => int.Parse(summary.Groups[group].Value, CultureInfo.InvariantCulture);
        int failed = Number("errors") + Number("failed");
        int skipped = Number("skipped") + Number("not");
        return new TestRun(Number("total") - Number("failed") - skipped, failed, skipped, output);
    }

    [GeneratedRegex(@"Total: (?<total>\d+), Errors: (?<errors>\d+), Failed: (?<failed>\d+), Skipped: (?<skipped>\d+), "
        + @"Not Run: (?<not>\d+)")]
    private static partial Regex Summary();
}
