using Tessera.Tensors;

namespace Tessera.Models.Tests;

/// <summary>
/// Models whose sizes divide by nothing that a kernel would like: vocabulary, widths and heads all leave tails. Between
/// them they use every layer that training knows.
/// </summary>
internal static class SmallModels
{
    public const int Vocabulary = 257, Context = 330;

    public static IEnumerable<string> Names => ["qwen3", "gpt2", "llama"];

    /// <summary>Returns a model of random weights; the same for the same name.</summary>
    public static Transformer Create(string name, DType type)
    {
        Transformer model = Transformer.Random(Configure(name), seed: 11);
        model.ComputeType = type;
        Random random = new(12);
        foreach (Parameter parameter in model.Parameters.All.Where(p => p.Shape.Rank == 1))
        {
            // Scales of 1 and biases of 0 would hide what is done with them.
            foreach (ref float value in parameter.Value.Span<float>())
            {
                value += (random.NextSingle() - 0.5f) / 4;
            }

            parameter.Changed();
        }

        return model;
    }

    /// <summary>Returns random tokens, and labels of which some are masked.</summary>
    public static (int[] Ids, int[] Labels) Rows(int seed, int count)
    {
        Random random = new(seed);
        int[] ids = new int[count], labels = new int[count];
        for (int i = 0; i < count; i++)
        {
            ids[i] = random.Next(Vocabulary);
            labels[i] = random.Next(9) == 0 ? LossOptions.Masked : random.Next(Vocabulary);
        }

        return (ids, labels);
    }

    private static TransformerConfig Configure(string name)
    {
        bool gpt2 = name == "gpt2", llama = name == "llama";
        return new TransformerConfig
        {
            Family = name,
            VocabularySize = Vocabulary,
            Width = gpt2 ? 66 : 57,
            Layers = 2,
            Heads = 6,
            KeyHeads = gpt2 ? 6 : 2,
            HeadSize = gpt2 ? 11 : 18,
            FeedForwardWidth = 101,
            ContextLength = Context,
            Activation = gpt2 ? Activation.GeluTanh : Activation.SwiGlu,
            Norm = gpt2 ? Norm.Layer : Norm.Rms,
            NormEpsilon = 1e-6,
            QkNorm = name == "qwen3",
            AttentionBiases = gpt2 || llama,
            FeedForwardBiases = gpt2 || llama,
            LearnedPositions = gpt2,
            Rotary = gpt2 ? null : new RotaryConfig(10_000, 18),
            TiedEmbeddings = !llama,
        };
    }
}
