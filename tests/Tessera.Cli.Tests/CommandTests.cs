using System.Text.Json;
using Tessera.Tensors.Files;
using Tessera.Testing;
using Xunit;

namespace Tessera.Cli.Tests;

public sealed class CommandTests
{
    public static TheoryData<string> Commands =>
        ["chat", "generate", "serve", "inspect", "tokenize", "logits", "train", "evaluate-loss", "bench"];

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task HelpShowsExamples(string command)
    {
        string help = await TesseraProcess.ResultAsync("", command, "--help");
        Assert.Contains($"tessera {command}", help);
        Assert.Contains("Examples:", help);
        Assert.Contains(command, await TesseraProcess.ResultAsync(""));
    }

    [Fact]
    public async Task GenerateGivesTheSameTextForTheSameSeed()
    {
        string[] arguments =
            ["generate", TesseraProcess.Model(), "--prompt", "Once", "--max-tokens", "12", "--seed", "4"];
        string text = await TesseraProcess.ResultAsync("", arguments);
        using JsonDocument json = JsonDocument.Parse(await TesseraProcess.ResultAsync("", [.. arguments, "--json"]));
        Assert.Equal(text, json.RootElement.GetProperty("text").GetString() + "\n");
        Assert.Equal("Once", json.RootElement.GetProperty("prompt").GetString());
        Assert.Equal(4, json.RootElement.GetProperty("seed").GetInt32());
        int tokens = json.RootElement.GetProperty("completion_tokens").GetInt32();
        Assert.Equal(tokens == 12 ? "length" : "stop", json.RootElement.GetProperty("finish_reason").GetString());
    }

    [Fact]
    public async Task TokensComeBackAsTheTextThatTheyWereMadeOf()
    {
        const string Text = "Hello <|im_end|> 你好\n";
        string ids = await TesseraProcess.ResultAsync(Text, "tokenize", TesseraProcess.Model());
        Assert.Equal(Text, await TesseraProcess.ResultAsync(ids, "tokenize", TesseraProcess.Model(), "--decode"));

        // A marker in a text is text, unless that is asked for: then it is one token.
        string special = await TesseraProcess.ResultAsync(Text, "tokenize", TesseraProcess.Model(), "--special");
        Assert.True(Count(special) < Count(ids));
        string bos = await TesseraProcess.ResultAsync(Text, "tokenize", TesseraProcess.Model(), "--bos");
        Assert.Equal(Count(ids) + 1, Count(bos));
    }

    [Fact]
    public async Task LinesOfJsonGoInAndOut()
    {
        string[] texts = ["a b", "", "漢字 \"quoted\"\n😀"];
        string lines = string.Concat(texts.Select(text => JsonSerializer.Serialize(text) + "\n"));
        string ids = await TesseraProcess.ResultAsync(lines, "tokenize", TesseraProcess.Model(), "--jsonl");
        Assert.Equal(3, ids.Trim().Split('\n').Length);
        string back = await TesseraProcess.ResultAsync(ids, "tokenize", TesseraProcess.Model(), "--jsonl", "--decode");
        Assert.Equal(texts, back.Trim().Split('\n').Select(line => JsonSerializer.Deserialize<string>(line)));

        TesseraProcess wrong = await TesseraProcess.RunAsync(
            "\"a\"\n5\n", "tokenize", TesseraProcess.Model(), "--jsonl");
        Assert.Equal(1, wrong.ExitCode);
        Assert.Contains("line 2", wrong.Error);
        TesseraProcess unknown = await TesseraProcess.RunAsync(
            "[1]\n[99999999]\n", "tokenize", TesseraProcess.Model(), "--jsonl", "--decode");
        Assert.Equal(1, unknown.ExitCode);
        Assert.Contains("line 2 on standard input: 99999999 is no id", unknown.Error);
    }

    [Fact]
    public async Task LogitsAreThoseOfTheReference()
    {
        foreach (string folder in Directory.GetDirectories(SharedFiles.Path("goldens/hf-folders")))
        {
            string name = Path.GetFileName(folder);
            using SafetensorsFile file = Goldens.Open("goldens/hf-folders/logits.safetensors");
            using TemporaryFolder temporary = new();
            string path = temporary.Path("logits.f32");
            int length = file[$"{name}.ids"].Shape[1];
            int[] ids = Goldens.ToInts(file[$"{name}.ids"])[..length];
            await TesseraProcess.ResultAsync(
                "", "logits", folder, "--tokens", string.Join(',', ids), "--output", path);

            byte[] bytes = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
            float[] logits = new float[bytes.Length / sizeof(float)];
            Buffer.BlockCopy(bytes, 0, logits, 0, bytes.Length);
            double[] expected = Goldens.ToDoubles(file[$"{name}.logits"])[..logits.Length];
            Assert.Equal(length * file[$"{name}.logits"].Shape[2], logits.Length);
            double allowed = Limits.FolderLogits * Goldens.Largest(expected);
            Assert.All(expected.Zip(logits), pair => Assert.Equal(pair.First, pair.Second, allowed));
        }
    }

    [Fact]
    public async Task InspectSaysWhatAModelIs()
    {
        foreach (string folder in Directory.GetDirectories(SharedFiles.Path("goldens/hf-folders")))
        {
            using JsonDocument config = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "config.json")));
            string facts = await TesseraProcess.ResultAsync("", "inspect", folder);
            Assert.Contains(config.RootElement.GetProperty("model_type").GetString()!, facts);
            Assert.Contains($"{config.RootElement.GetProperty("vocab_size").GetInt32():N0} tokens", facts);
        }
    }

    [Fact]
    public async Task BenchMeasuresEachShapeBesideTheRoof()
    {
        string[] shape = ["--prompt", "8", "--generate", "2", "--depth", "0,16", "--parallel", "1,2", "--threads", "1"];
        string text = await TesseraProcess.ResultAsync("", ["bench", TesseraProcess.Model(), .. shape, "--json"]);
        JsonElement json = JsonDocument.Parse(text).RootElement;
        Assert.InRange(json.GetProperty("flops_per_second").GetDouble(), 1e6, 1e15);
        Assert.InRange(json.GetProperty("read_bytes_per_second").GetDouble(), 1e6, 1e15);
        JsonElement[] results = [.. json.GetProperty("results").EnumerateArray()];
        Assert.Equal(
            [(0, 1), (0, 2), (16, 1), (16, 2)],
            results.Select(r => (r.GetProperty("depth").GetInt32(), r.GetProperty("parallel").GetInt32())));
        string[] figures =
            ["prefill_tokens_per_second", "prefill_share", "decode_tokens_per_second", "decode_share"];
        Assert.All(results, r => Assert.All(figures, f => Assert.InRange(r.GetProperty(f).GetDouble(), 1e-9, 1e9)));

        TesseraProcess deep = await TesseraProcess.RunAsync("", "bench", TesseraProcess.Model(), "--depth", "9999999");
        Assert.Equal(1, deep.ExitCode);
        Assert.Contains("the model's context takes", deep.Error);
    }

    [Fact]
    public async Task WhatIsWrongIsSaidInALineWithoutATrace()
    {
        string model = TesseraProcess.Model();
        using TemporaryFolder folder = new();
        string recipe = folder.Path("r.yaml");
        File.WriteAllText(recipe, "data: {sources: x.txt}\ntraining: {steps: 1}");
        (int Code, string Said, string[] Arguments)[] cases =
        [
            (2, "generat", ["generat"]),
            (2, "--prompt", ["generate", model]),
            (2, "--temperature is 'hot'", ["generate", model, "--prompt", "x", "--temperature", "hot"]),
            (2, "--top-k is '0'", ["generate", model, "--prompt", "x", "--top-k", "0"]),
            (2, "--port is '99999'", ["serve", model, "--port", "99999"]),
            (2, "--depth is 'x'", ["train", "--data", "x.txt", "--depth", "x"]),
            (2, "--vocabulary is '5'", ["tokenizer", "train", "--data", "x.txt", "--vocabulary", "5"]),
            (1, "wanted 259", ["tokenizer", "train", "--data", "x.txt", "--vocabulary", "2000000000"]),
            (1, "/a, b.txt: no file is there", ["train", recipe, "--data", "a, b.txt", "-o", folder.Path("run")]),
            (1, "is no folder's name", ["train", recipe, "--set", "name=../x"]),
            (1, "the heads of gpt2", ["train", recipe, "--set", "model={family: gpt2, key_heads: 1}"]),
            (1, "--tokens has +1", ["logits", model, "--tokens", "+1", "--output", "x.f32"]),
            (1, "no model at nowhere", ["generate", "nowhere", "--prompt", "x"]),
            (1, "config.json", ["inspect", Path.GetDirectoryName(model)!]),
            (1, "no address", ["serve", model, "--host", "nowhere.example"]),
            (1, "--tokens has 99999", ["logits", model, "--tokens", "1,99999", "--output", "x.f32"]),
            (1, "context", ["generate", model, "--prompt", new string('漢', 1000)]),
        ];
        foreach ((int code, string said, string[] arguments) in cases)
        {
            TesseraProcess process = await TesseraProcess.RunAsync("", arguments);
            Assert.True(process.ExitCode == code, $"{arguments[0]}: {process.ExitCode}, {process.Error}");
            Assert.DoesNotContain("fault of tessera", process.Error);
            Assert.Equal("", process.Output);
            Assert.Contains(said, process.Error);
            Assert.DoesNotContain("   at ", process.Error);
        }
    }

    [Theory]
    [InlineData("TESSERA_THREADS", "many")]
    [InlineData("TESSERA_ISA", "avx1024")]
    public async Task AWrongVariableIsNamed(string variable, string value)
    {
        string model = TesseraProcess.Model();
        TesseraProcess process = await TesseraProcess.RunAsync((variable, value), "", "tokenize", model);
        Assert.Equal((1, ""), (process.ExitCode, process.Output));
        Assert.StartsWith($"tessera: {variable}: '{value}' is not", process.Error, StringComparison.Ordinal);
        Assert.Single(process.Error.TrimEnd().Split('\n'));
    }

    private static int Count(string ids) => JsonSerializer.Deserialize<int[]>(ids)!.Length;
}
