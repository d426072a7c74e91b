using Tessera.Testing;
using Xunit;

namespace Tessera.Cli.Tests;

/// <summary>Runs commands on files and folders that the user may not read or write.</summary>
public sealed class PermissionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task WhatMayNotBeReadOrWrittenIsNamedWithWhatToDo()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("this system has no modes of files");
            return;
        }

        Assert.SkipWhen(
            Environment.IsPrivilegedProcess, "the user is root, who may read and write everything: run as another one");
        string hidden = Model("hidden"), config = Model("config"), weights = Model("weights");
        string text = _folder.Path("text.txt"), recipe = _folder.Path("r.yaml"), closed = _folder.Path("closed");
        File.WriteAllText(text, "some words");
        File.WriteAllText(recipe, "data: {sources: text.txt}\ntraining: {steps: 1}");
        Directory.CreateDirectory(closed);
        string[] forbidden =
            [Path.Combine(config, "config.json"), Path.Combine(weights, "model.safetensors"), text, recipe];
        foreach (string path in forbidden)
        {
            File.SetUnixFileMode(path, UnixFileMode.None);
        }

        UnixFileMode mode = File.GetUnixFileMode(hidden);
        File.SetUnixFileMode(hidden, UnixFileMode.None);
        File.SetUnixFileMode(closed, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        string output = Path.Combine(closed, "output"), model = TesseraProcess.Model();
        (string Said, string[] Arguments)[] cases =
        [
            (hidden, ["chat", hidden]),
            (hidden, ["tokenize", hidden]),
            (forbidden[0], ["generate", config, "--prompt", "x"]),
            (forbidden[0], ["serve", config, "--port", "0"]),
            (forbidden[1], ["inspect", weights]),
            (output, ["logits", model, "--tokens", "1", "--output", output]),
            (text, ["tokenizer", "train", "--data", text]),
            (text, ["train", "--data", text, "--depth", "1", "-o", _folder.Path("run")]),
            (recipe, ["train", recipe]),
            (output, ["train", "--data", model, "--depth", "1", "-o", output]),
        ];
        foreach ((string said, string[] arguments) in cases)
        {
            TesseraProcess process = await TesseraProcess.RunAsync("", arguments);
            Assert.Equal((1, ""), (process.ExitCode, process.Output));
            Assert.Contains(said, process.Error);
            Assert.Contains("give your user the right to it", process.Error);
            Assert.DoesNotContain("   at ", process.Error);
        }

        File.SetUnixFileMode(hidden, mode);
    }

    private string Model(string name)
    {
        string folder = _folder.Path(name);
        Directory.CreateDirectory(folder);
        foreach (string file in Directory.GetFiles(TesseraProcess.Model()))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        return folder;
    }
}
