using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tessera.Testing;
using Xunit;

namespace Tessera.Cli.Tests;

/// <summary>What is said about memory before a command starts, held against what it takes.</summary>
public sealed class MemoryTests : IDisposable
{
    // The issue's: an estimate is of use where it is within a quarter of what is taken.
    private const double Within = 0.25;

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, string> Shapes => new()
    {
        { "{layers: 6, width: 256, heads: 8, hidden: 768}", "{steps: 2, batch: 16, sequence: 256}" },
        { "{layers: 3, width: 512, heads: 8}", "{steps: 2, batch: 2, optimizer: muon, precision: fp32}" },
        { "{family: gpt2, layers: 4, width: 256, heads: 8}", "{steps: 2, batch: 8, accumulation: 2, dropout: 0.1}" },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public async Task TrainingTakesWhatItSaid(string model, string training)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the kernel's mark of a process' peak is read from /proc");
        string recipe = WriteRecipe(model, training);
        string program = Path.Combine(AppContext.BaseDirectory, "tessera.dll");
        ProcessStartInfo start = new("dotnet", [program, "train", recipe, "-o", _folder.Path("run"), "--json"])
        {
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(start)!;
        (double said, double taken) = (0, 0);
        while (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            JsonElement what = JsonDocument.Parse(line).RootElement;
            if (what.GetProperty("event").GetString() == "started")
            {
                said = what.GetProperty("memory_bytes").GetDouble();
            }

            taken = Math.Max(taken, Peak(process.Id));
        }

        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
        Assert.InRange(said / taken, 1 - Within, 1 + Within);
    }

    [Fact]
    public async Task AnAbsurdRecipeIsRefusedBeforeAnythingIsTaken()
    {
        string recipe = WriteRecipe("{layers: 1000, width: 65536, heads: 64}", "{steps: 2}");
        string run = _folder.Path("run");
        TesseraProcess refused = await TesseraProcess.RunAsync("", "train", recipe, "-o", run);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("available", refused.Error);
        Assert.Contains("model.width", refused.Error);
        Assert.False(Directory.Exists(run));

        refused = await TesseraProcess.RunAsync(
            "", "train", WriteRecipe("{layers: 2}", "{steps: 2, batch: 1000000, sequence: 1000}"), "-o", run);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("training.batch", refused.Error);
    }

    [Fact]
    public async Task AContextTooLargeForTheMemoryIsRefused()
    {
        string model = _folder.Path("model");
        Directory.CreateDirectory(model);
        foreach (string file in Directory.GetFiles(TesseraProcess.Model()))
        {
            File.Copy(file, Path.Combine(model, Path.GetFileName(file)));
        }

        string path = Path.Combine(model, "config.json");
        JsonNode config = JsonNode.Parse(await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken))!;
        config["max_position_embeddings"] = 1 << 28;
        await File.WriteAllTextAsync(path, config.ToJsonString(), TestContext.Current.CancellationToken);
        string[] command = ["generate", model, "--prompt", "Once", "--max-tokens", "2"];
        TesseraProcess refused = await TesseraProcess.RunAsync("", command);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("--context", refused.Error);
        await TesseraProcess.ResultAsync("", [.. command, "--context", "64"]);
    }

    public void Dispose() => _folder.Dispose();

    private static double Peak(int process)
    {
        try
        {
            string line = File.ReadLines($"/proc/{process}/status")
                .First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
            string kilobytes = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
            return 1024 * double.Parse(kilobytes, CultureInfo.InvariantCulture);
        }
        catch (Exception gone) when (gone is IOException or InvalidOperationException)
        {
            // A process that has ended says nothing any more; it did before.
            return 0;
        }
    }

    private string WriteRecipe(string model, string training)
    {
        Random random = new(3);
        string[] words = ["the", "cat", "sat", "on", "a", "mat", "and", "saw", "dogs", "run", "far", "away"];
        IEnumerable<string> text =
            Enumerable.Range(0, 40_000).Select(i => words[random.Next(12)] + (i % 12 == 11 ? ".\n" : " "));
        File.WriteAllText(_folder.Path("text.txt"), string.Concat(text));
        string path = _folder.Path("memory.yaml");
        File.WriteAllText(
            path,
            $$"""
            model: {{model}}
            tokenizer: {vocabulary: 300}
            data: {sources: [text.txt], hold_out: 0.1, cache: cache}
            training: {{training}}
            samples: {prompts: []}
            """);
        return path;
    }
}
