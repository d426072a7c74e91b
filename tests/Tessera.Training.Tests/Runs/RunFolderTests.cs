using System.Text.Json.Nodes;
using Tessera.Training.Data;
using Tessera.Training.Recipes;
using Tessera.Training.Runs;
using Xunit;

namespace Tessera.Training.Tests.Runs;

public sealed class RunFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Recipe _recipe = RecipeReader.Read(
        "name: mine\ndata: {sources: a.txt}\ntraining: {steps: 5}", "r", "/x");

    private string RunPath => Path.Combine(_folder.Path, "run");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ARunIsBegunOnceAndOpenedAgainAsItWas()
    {
        using (RunFolder created = RunFolder.Create(RunPath, _recipe))
        {
            IOException taken = Assert.Throws<IOException>(() => RunFolder.Open(RunPath));
            Assert.Contains("another process works in this folder", taken.Message, StringComparison.Ordinal);
        }

        Assert.Contains(
            "--resume",
            Assert.Throws<IOException>(() => RunFolder.Create(RunPath, _recipe)).Message,
            StringComparison.Ordinal);
        using RunFolder opened = RunFolder.Open(RunPath);
        Assert.Equal(RecipeWriter.Write(_recipe), RecipeWriter.Write(opened.Recipe));
    }

    [Theory]
    [InlineData("{\"train\":")]
    [InlineData("[]")]
    public void ABrokenManifestIsNamed(string content)
    {
        using RunFolder run = RunFolder.Create(RunPath, _recipe);
        File.WriteAllText(Path.Combine(RunPath, "manifest.json"), content);
        InvalidDataException e = Assert.Throws<InvalidDataException>(
            () => run.Save(new Manifest { Tokenizer = "t", Sources = [] }, _recipe.Stages[0]));
        Assert.Contains("manifest.json", e.Message, StringComparison.Ordinal);
        Assert.Contains("delete it", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AWrongPathIsSaidBeforeAnythingIsWritten()
    {
        string file = _folder.Write("file", "x");
        Assert.Contains(
            "is a file",
            Assert.Throws<IOException>(() => RunFolder.Create(file, _recipe)).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "holds other files",
            Assert.Throws<IOException>(() => RunFolder.Create(_folder.Path, _recipe)).Message,
            StringComparison.Ordinal);
        Assert.Equal(["file"], Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName));
        Assert.Throws<FileNotFoundException>(() => RunFolder.Open(RunPath));
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(RunPath).FullName, "recipe.yaml"), "nmae: x");
        Assert.Throws<RecipeException>(() => RunFolder.Open(RunPath));
    }

    [Fact]
    public void TheManifestHasTheFilesOfEachStage()
    {
        using RunFolder run = RunFolder.Create(RunPath, _recipe);
        TokenFileFacts facts = new()
        {
            FormatVersion = 1,
            Path = "/x/a.jsonl",
            Slice = "all",
            Bytes = 7,
            Sha256 = "ab",
            Tokenizer = "t",
            VocabularySize = 9,
            Tokens = 5,
            Licences = new Dictionary<string, long> { ["MIT"] = 2 },
        };
        Manifest manifest = new() { Tokenizer = "t", Sources = [new ManifestSource("a", 1, [facts])] };
        run.Save(manifest, _recipe.Stages[0] with { Name = "one" });
        run.Save(manifest, _recipe.Stages[0] with { Name = "two" });
        JsonNode written = JsonNode.Parse(File.ReadAllText(Path.Combine(RunPath, "manifest.json")))!;
        Assert.Equal(["one", "two"], written.AsObject().Select(s => s.Key));
        Assert.Equal(5, (int)written["two"]!["tokens"]!);
        Assert.Equal(2, (int)written["one"]!["licences"]!["MIT"]!);
        Assert.Equal("ab", (string?)written["one"]!["sources"]![0]!["files"]![0]!["sha256"]);
    }
}
