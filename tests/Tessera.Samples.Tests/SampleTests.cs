using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;
using Tessera.Inference;
using Tessera.Models.Tokenizers;
using Tessera.Testing;
using Xunit;

namespace Tessera.Samples.Tests;

public sealed partial class SampleTests
{
    [Fact]
    public void TrainingLowersTheLoss()
    {
        using TemporaryFolder folder = new();
        string source = Path.Combine(SharedFiles.RepositoryRoot, "recipes", "data", "tinyshakespeare.txt");
        string text = File.ReadAllText(source)[..200_000];
        string path = folder.Path("text.txt");
        File.WriteAllText(path, text);

        double[] losses = [.. Loss().Matches(Sample.Run("Tessera.Samples.Train", path, "200"))
            .Select(match => double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))];

        // Random weights of deviation 0.02 make logits near 0, so that each of the 512 tokens is about equally likely.
        Assert.Equal(Math.Log(512), losses[0], 0.1);

        // No model that ignores what came before can be better than this; the last lines, averaged, are.
        double frequencies = Entropy(text);
        Assert.True(losses[^3..].Average() < frequencies, $"{string.Join(' ', losses)}; frequencies {frequencies}");
    }

    [Fact]
    public async Task ChatStreamsTheAnswerOfTheModel()
    {
        const string Question = "Tell me a story.";
        using TemporaryFolder folder = new();
        string path = folder.Path("tiny");
        TinyChatModel.Save(path);

        string streamed = Sample.Run("Tessera.Samples.Chat", path, Question);

        using ChatModel model = ChatModel.Load(path);
        using TesseraChatClient client = new(model);
        ChatResponse whole = await client.GetResponseAsync(
            Question, new ChatOptions { MaxOutputTokens = 200, Seed = 1 }, TestContext.Current.CancellationToken);
        Assert.NotEmpty(whole.Text);
        Assert.Equal(whole.Text + Environment.NewLine, streamed);
    }

    // The entropy of the sample's tokens, taken one by one, in nats.
    private static double Entropy(string text)
    {
        BpeTrainerSettings settings = new() { VocabularySize = 512 };
        int[] tokens = new BpeTrainer(settings).Train([text]).Tokenizer.Encode(text);
        return tokens.CountBy(token => token).Select(pair => (double)pair.Value / tokens.Length)
            .Sum(share => -share * Math.Log(share));
    }

    [GeneratedRegex(@"loss (\d+\.\d+)")]
    private static partial Regex Loss();
}
