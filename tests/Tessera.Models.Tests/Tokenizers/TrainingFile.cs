using System.Text.Json;
using Tessera.Models.Tokenizers;
using Tessera.Testing;

namespace Tessera.Models.Tests.Tokenizers;

/// <summary>Reads goldens/tokenizer-training/bpe_training.json.</summary>
internal static class TrainingFile
{
    public const string Folder = "goldens/tokenizer-training";

    public static JsonElement Read(string relative)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(SharedFiles.Path(relative)));
        return document.RootElement.Clone();
    }

    public static JsonElement Read() => Read($"{Folder}/bpe_training.json");

    public static string[] Probes(JsonElement file) => Strings(file.GetProperty("probes"));

    public static string[] Strings(JsonElement array) =>
        [.. array.EnumerateArray().Select(element => element.GetString()!)];

    public static int[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(element => element.GetInt32())];

    public static Splitting SplittingOf(JsonElement set) => set.GetProperty("pattern").GetString() switch
    {
        "gpt2" => Splitting.Gpt2,
        "cl100k" => Splitting.Cl100k,
        string other => throw new InvalidDataException($"bpe_training.json: pattern: {other}"),
        null => throw new InvalidDataException("bpe_training.json: pattern: null"),
    };

    public static string Corpus() => File.ReadAllText(SharedFiles.Path($"{Folder}/corpus.txt"));

    public static ByteLevelBpe Train(JsonElement set, int size, params string[] specialTokens) =>
        new BpeTrainer(new BpeTrainerSettings
        {
            VocabularySize = size,
            Splitting = SplittingOf(set),
            SpecialTokens = specialTokens,
        }).Train([Corpus()]).Tokenizer;
}
