using System.Globalization;
using YamlDotNet.RepresentationModel;

namespace Tessera.Training.Recipes;

/// <summary>Derives a model and its budget from one dial, as nanochat's <c>--depth</c> does.</summary>
/// <remarks>
/// The width grows with the depth, the tokens are 20 for each parameter (Hoffmann et al. 2022, "Training
/// compute-optimal large language models"), and the step grows so that a run has some thousands of them.
/// </remarks>
internal static class DepthDefaults
{
    private const int HeadSize = 64;
    private const double TokensAParameter = 20;

    /// <summary>Returns the values that a depth stands for; what the recipe states goes before them.</summary>
    public static YamlMappingNode For(int depth, YamlMappingNode stated, RecipeBinder binder)
    {
        // Two query heads share a key head, where the family knows how.
        bool grouped = depth % 2 == 0 && Bind(binder, stated, ("model", [])).Model.Family != "gpt2";
        YamlMappingNode model = Mapping(
            ("layers", depth),
            ("width", HeadSize * depth),
            ("heads", depth),
            ("head_size", HeadSize),
            ("key_heads", grouped ? depth / 2 : depth));
        int vocabulary = depth <= 4 ? 4096 : depth <= 8 ? 8192 : depth <= 12 ? 16_384 : 32_768;
        YamlMappingNode tokenizer = Mapping(("vocabulary", vocabulary));
        Recipe known = Bind(binder, stated, ("model", model), ("tokenizer", tokenizer));
        int sequence = depth <= 4 ? 256 : depth <= 8 ? 512 : depth <= 12 ? 1024 : 2048;
        long parameters = Budget.Of(known.Model, known.Tokenizer.Vocabulary, sequence, 0).Parameters;
        long tokens = (long)(TokensAParameter * parameters);

        // About 5,000 steps, each of a power of two of tokens, from 4,096 (what two cores work well on) to 524,288.
        long step = Math.Clamp((long)Math.Pow(2, Math.Round(Math.Log2(tokens / 5000.0))), 4096, 524_288);
        long most = Math.Max(1, 8192 / sequence), sequences = Math.Max(1, step / sequence);
        long accumulation = Math.Max(1, sequences / most);
        YamlMappingNode training = Mapping(
            ("sequence", sequence),
            ("batch", sequences / accumulation),
            ("accumulation", accumulation),
            ("optimizer", "muon"),

            // Falls with the root of the width, from 3e-3 at 256 channels.
            ("learning_rate", Math.Round(3e-3 * Math.Sqrt(256.0 / known.Model.Width), 6)),
            ("warmup", 100),
            ("schedule", "wsd"),
            ("final_share", 0));
        if (!StatesLength(stated))
        {
            training.Add("tokens", tokens.ToString(CultureInfo.InvariantCulture));
        }

        return new YamlMappingNode { { "model", model }, { "tokenizer", tokenizer }, { "training", training } };
    }

    private static bool StatesLength(YamlMappingNode stated) =>
        stated.Children.TryGetValue("training", out YamlNode? node) && node is YamlMappingNode training
        && (string[])["steps", "tokens", "passes"] is var units && units.Any(u => training.Children.ContainsKey(u));

    private static Recipe Bind(
        RecipeBinder binder, YamlMappingNode stated, params ReadOnlySpan<(string Key, YamlMappingNode Value)> defaults)
    {
        YamlMappingNode merged = [];
        foreach ((string key, YamlMappingNode value) in defaults)
        {
            stated.Children.TryGetValue(key, out YamlNode? over);
            merged.Add(key, binder.Merge(value, over as YamlMappingNode ?? []));
        }

        return binder.Bind<Recipe>(merged, "");
    }

    private static YamlMappingNode Mapping(params ReadOnlySpan<(string Key, object Value)> entries)
    {
        YamlMappingNode node = [];
        foreach ((string key, object value) in entries)
        {
            node.Add(key, Convert.ToString(value, CultureInfo.InvariantCulture)!);
        }

        return node;
    }
}
