using System.Diagnostics;
using System.Text;
using Xunit;

namespace Tessera.Cli.Tests;

/// <summary>Kills a training process at random moments, goes on, and compares with an undisturbed run.</summary>
public sealed class KilledRunTests : IDisposable
{
    private const int Kills = 6;
    private readonly string _folder = Directory.CreateTempSubdirectory("tessera-killed-").FullName;

    [Theory]
    [InlineData("adamw")]
    [InlineData("muon")]
    public void EndsWithTheWeightsOfAnUndisturbedRun(string optimizer)
    {
        string recipe = WriteRecipe(optimizer);
        Assert.Equal(0, Run(recipe, "whole", resume: false, killAfter: null));
        Random random = new(7);
        int code = Run(recipe, "killed", resume: false, killAfter: random.Next(400, 1500));
        int killed = 0;
        for (; code != 0 && killed < Kills; killed++)
        {
            code = Run(recipe, "killed", resume: Begun(), killAfter: random.Next(300, 1200));
        }

        if (code != 0)
        {
            Assert.Equal(0, Run(recipe, "killed", resume: Begun(), killAfter: null));
        }

        // Held-out losses, learning rates and all else that decides stands behind these bytes.
        string[] files =
        [
            "model/model.safetensors",
            "checkpoints/step-60/model.safetensors",
            "checkpoints/step-60/training-state/optimizer.safetensors",
        ];
        foreach (string file in files)
        {
            byte[] expected = File.ReadAllBytes(Path.Combine(_folder, "whole", file));
            byte[] actual = File.ReadAllBytes(Path.Combine(_folder, "killed", file));
            Assert.True(expected.AsSpan().SequenceEqual(actual), $"{file} differs after {killed} kills");
        }

        IEnumerable<string> metrics = File.ReadLines(Path.Combine(_folder, "killed", "metrics.jsonl"));
        Assert.Equal(60, metrics.Count(line => line.Contains("\"event\":\"step\"", StringComparison.Ordinal)));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // A process that was killed before it had written its recipe has begun nothing that could go on.
    private bool Begun() => File.Exists(Path.Combine(_folder, "killed", "recipe.yaml"));

    private string WriteRecipe(string optimizer)
    {
        Random random = new(3);
        string[] words = ["the", "cat", "sat", "on", "a", "mat", "and", "saw", "dogs", "run", "far", "away"];
        StringBuilder text = new();
        for (int i = 0; i < 4000; i++)
        {
            text.Append(words[random.Next(words.Length)]).Append(i % 12 == 11 ? ".\n" : " ");
        }

        File.WriteAllText(Path.Combine(_folder, "text.txt"), text.ToString());
        string path = Path.Combine(_folder, $"{optimizer}.yaml");
        File.WriteAllText(
            path,
            $$"""
            name: killed
            model: {layers: 2, width: 32, heads: 2}
            tokenizer: {vocabulary: 300}
            data: {sources: [text.txt], hold_out: 0.1, cache: cache-{{optimizer}}}
            training: {steps: 60, batch: 4, sequence: 32, accumulation: 2, optimizer: {{optimizer}}, dropout: 0.1}
            evaluation: {every: 20}
            checkpoints: {every: 7, keep: 2}
            """);
        return path;
    }

    private int Run(string recipe, string name, bool resume, int? killAfter)
    {
        ProcessStartInfo start = new("dotnet") { RedirectStandardError = true, RedirectStandardOutput = true };
        string program = Path.Combine(AppContext.BaseDirectory, "tessera.dll"), folder = Path.Combine(_folder, name);
        string[] arguments = [program, "train", recipe, "-o", folder, .. resume ? ["--resume"] : Array.Empty<string>()];
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync(), output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(killAfter ?? 120_000))
        {
            process.Kill();
            process.WaitForExit();
            Assert.True(killAfter is not null, $"the run took over two minutes: {errors.Result}");
            return -1;
        }

        Assert.True(process.ExitCode == 0, $"exit code {process.ExitCode}: {errors.Result}{output.Result}");
        return 0;
    }
}
