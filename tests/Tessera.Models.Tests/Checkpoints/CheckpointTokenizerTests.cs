using System.Text.Json;
using Tessera.Models.Checkpoints;
using Tessera.Models.Tests.Tokenizers;
using Tessera.Models.Tokenizers;
using Xunit;

namespace Tessera.Models.Tests.Checkpoints;

public sealed class CheckpointTokenizerTests
{
    [Theory]
    [MemberData(nameof(CheckpointTests.Folders), MemberType = typeof(CheckpointTests))]
    public void AFoldersTokenizerIsTheTrainedOneWithTheMarkersOfItsTemplate(string name)
    {
        // The script that made the folders took the largest tokenizer with GPT-2's splitting and added two markers.
        JsonElement file = TrainingFile.Read();
        JsonElement set = file.GetProperty("sets").EnumerateArray()
            .Single(item => TrainingFile.SplittingOf(item) == Splitting.Gpt2);
        JsonElement expected = set.GetProperty("encodings").EnumerateObject().Last().Value;
        using Checkpoint checkpoint = Checkpoint.Load(CheckpointTests.Folder(name));
        ByteLevelBpe tokenizer = ByteLevelBpe.Read(name, checkpoint.Files.TokenizerJson!.Value);
        string[] probes = TrainingFile.Probes(file);
        Assert.All(probes, (probe, i) => Assert.Equal(TrainingFile.Numbers(expected[i]), tokenizer.Encode(probe)));
        Assert.Equal(checkpoint.Config.BosId, tokenizer.TokenToId(checkpoint.Files.Tokenizer!.BosToken!));
        Assert.Equal(checkpoint.Config.EosIds, [tokenizer.TokenToId(checkpoint.Files.Tokenizer.EosToken!)!.Value]);
        Assert.InRange(checkpoint.Config.VocabularySize, tokenizer.VocabularySize, tokenizer.VocabularySize + 7);
    }
}
