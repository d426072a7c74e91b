using System.Diagnostics;
using System.Text;
using Tessera.Testing;
using Xunit;

namespace Tessera.Cli.Tests;

/// <summary>Runs the command line in a process of its own, as a user does.</summary>
internal sealed record TesseraProcess(int ExitCode, byte[] OutputBytes, string Error)
{
    /// <summary>Gets standard output as text.</summary>
    public string Output => Encoding.UTF8.GetString(OutputBytes);

    /// <summary>Returns the folder of a tiny model; skips the test where it is absent.</summary>
    public static string Model(string name = "qwen3") => SharedFiles.Path($"goldens/hf-folders/{name}");

    public static Task<TesseraProcess> RunAsync(string input, params string[] arguments) =>
        RunAsync(null, input, arguments);

    /// <summary>Runs it with one more variable of the environment.</summary>
    public static async Task<TesseraProcess> RunAsync(
        (string Name, string Value)? variable, string input, params string[] arguments)
    {
        CancellationToken cancelled = TestContext.Current.CancellationToken;
        string program = Path.Combine(AppContext.BaseDirectory, "tessera.dll");
        ProcessStartInfo start = new("dotnet", [program, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardErrorEncoding = Encoding.UTF8,
        };
        if (variable is var (name, value))
        {
            start.Environment[name] = value;
        }

        using Process process = Process.Start(start)!;
        using MemoryStream output = new();
        Task read = process.StandardOutput.BaseStream.CopyToAsync(output, cancelled);
        Task<string> error = process.StandardError.ReadToEndAsync(cancelled);
        await process.StandardInput.BaseStream.WriteAsync(Encoding.UTF8.GetBytes(input), cancelled);
        process.StandardInput.Close();
        await Task.WhenAll(read, error);
        await process.WaitForExitAsync(cancelled);
        return new TesseraProcess(process.ExitCode, output.ToArray(), await error);
    }

    /// <summary>Runs a command that must go well and say nothing beside its result.</summary>
    public static async Task<string> ResultAsync(string input, params string[] arguments)
    {
        TesseraProcess process = await RunAsync(input, arguments);
        Assert.Equal(("", 0), (process.Error, process.ExitCode));
        return process.Output;
    }
}
