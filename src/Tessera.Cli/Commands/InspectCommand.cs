using System.CommandLine;
using Tessera.Models;
using Tessera.Models.Checkpoints;
using Tessera.Models.Tokenizers;

namespace Tessera.Cli.Commands;

/// <summary>Says what is in a model's folder.</summary>
internal static class InspectCommand
{
    public static Command Create()
    {
        TesseraCommand command = new("inspect", "Say what a model is: its form, sizes, words and defaults.")
        {
            Examples =
            [
                ("tessera inspect", "look at the bundled model"),
                ("tessera inspect ./my-model", "look at another one"),
            ],
        };
        Argument<string?> model = ModelFolder.Argument();
        command.Arguments.Add(model);
        command.SetAction(arguments =>
        {
            string folder = ModelFolder.Find(arguments.GetValue(model));
            using StoredModel stored = StoredModel.Open(folder);
            IEnumerable<(string Name, string? Value)> facts =
                [.. Sizes(stored), .. Form(stored.Config), .. Words(stored), .. Defaults(stored)];
            foreach ((string name, string? value) in facts.Where(fact => fact.Value is { Length: > 0 }))
            {
                StandardStreams.Output.WriteLine($"{name,-20} {value}");
            }
        });
        return command;
    }

    private static IEnumerable<(string Name, string? Value)> Sizes(StoredModel stored)
    {
        TransformerConfig config = stored.Config;
        string path = Path.GetFullPath(stored.Location);
        yield return (File.Exists(path) ? "file" : "folder", path);
        yield return ("family", config.Family);
        string weights = $"{stored.FileBytes / 1e6:N1} MB, embedding {stored.DType}";
        yield return ("parameters", $"{stored.ParameterCount:N0} ({weights})");
        yield return ("layers", $"{config.Layers}");
        yield return ("width", $"{config.Width} (feed-forward {config.FeedForwardWidth})");
        yield return ("heads", $"{config.Heads} of {config.HeadSize}, {config.KeyHeads} for keys and values");
        yield return ("context", $"{config.ContextLength:N0} tokens");
    }

    private static IEnumerable<(string Name, string? Value)> Form(TransformerConfig config)
    {
        yield return ("activation", $"{config.Activation}");
        string further = config.QkNorm ? ", queries and keys too" : "";
        yield return ("norm", $"{config.Norm}, epsilon {config.NormEpsilon:R}{further}");
        yield return ("positions", config.Rotary is { } rotary
            ? $"rotary, base {rotary.Theta:N0} over {rotary.Dimensions} channels"
            : config.LearnedPositions ? "learned" : "none");
        yield return ("embeddings", config.TiedEmbeddings ? "shared with the head" : "apart from the head");
        yield return ("biases", (config.AttentionBiases, config.FeedForwardBiases) switch
        {
            (true, true) => "attention, feed-forward",
            (true, false) => "attention",
            (false, true) => "feed-forward",
            _ => "none",
        });
    }

    private static IEnumerable<(string Name, string? Value)> Words(StoredModel stored)
    {
        Tokenizer? tokenizer = stored.HasTokenizer ? stored.ReadTokenizer() : null;
        yield return ("vocabulary", $"{stored.Config.VocabularySize:N0} tokens"
            + (tokenizer is null ? "; no tokenizer" : $", {tokenizer.VocabularySize:N0} in the tokenizer"));
        yield return ("control tokens", tokenizer is null ? null : Shown(tokenizer.SpecialTokens));
        yield return ("text begins with", Token(tokenizer, stored.Generation.BosId));
        yield return ("answer ends with", stored.Generation.EosIds is { Count: > 0 } ends
            ? string.Join(' ', ends.Select(end => Token(tokenizer, end)))
            : null);
        yield return ("chat template", stored.ChatTemplate is { } source ? $"{source.Length:N0} characters" : "none");
    }

    private static IEnumerable<(string Name, string? Value)> Defaults(StoredModel stored)
    {
        GenerationConfig config = stored.Generation;
        yield return ("temperature", config.Sample is false ? "0" : $"{config.Temperature:R}");
        yield return ("top-k", $"{config.TopK}");
        yield return ("top-p", $"{config.TopP:R}");
        yield return ("min-p", $"{config.MinP:R}");
        yield return ("repetition penalty", $"{config.RepetitionPenalty:R}");
    }

    private static string Shown(IReadOnlyList<AddedToken> tokens)
    {
        const int Most = 12;
        string shown = string.Join(' ', tokens.Take(Most).Select(token => token.Text));
        return tokens.Count > Most ? $"{shown} and {tokens.Count - Most} more" : shown;
    }

    private static string? Token(Tokenizer? tokenizer, int? id) =>
        id is null ? null : tokenizer?.IdToToken(id.Value) is { } text ? $"{text} ({id})" : $"{id}";
}
