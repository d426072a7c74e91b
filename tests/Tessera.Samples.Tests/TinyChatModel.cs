using System.Text;
using Tessera.Models;
using Tessera.Models.Checkpoints;
using Tessera.Models.Tokenizers;
using Tessera.Tensors;
using Tessera.Training.Data;

namespace Tessera.Samples.Tests;

/// <summary>A model of random weights that has all that a conversation needs.</summary>
internal static class TinyChatModel
{
    /// <summary>Writes the model's folder.</summary>
    public static void Save(string folder)
    {
        ByteLevelBpe tokenizer = new BpeTrainer(new BpeTrainerSettings
        {
            VocabularySize = 300,
            SpecialTokens = ["<|endoftext|>", TokenizerEncoder.StartMarker, TokenizerEncoder.EndMarker],
        }).Train(["Once upon a time there was a little dog. Tell me a story about it."]).Tokenizer;
        TransformerConfig config = new()
        {
            Family = "qwen3",
            VocabularySize = tokenizer.VocabularySize,
            Width = 16,
            Layers = 2,
            Heads = 2,
            KeyHeads = 1,
            HeadSize = 8,
            FeedForwardWidth = 32,
            ContextLength = 256,
            Activation = Activation.SwiGlu,
            Norm = Norm.Rms,
            NormEpsilon = 1e-6,
            QkNorm = true,
            Rotary = new RotaryConfig(10_000, 8),
            TiedEmbeddings = true,
            BosId = 0,
            EosIds = [2],
        };
        CheckpointFiles files = new()
        {
            ChatTemplate = TokenizerEncoder.ChatTemplate,
            Tokenizer = new TokenizerSettings
            {
                BosToken = "<|endoftext|>",
                EosToken = TokenizerEncoder.EndMarker,
                MaximumLength = config.ContextLength,
            },
            TokenizerJson = Encoding.UTF8.GetBytes(tokenizer.ToJson()),
        };
        Transformer model = Transformer.Random(config, seed: 1);
        Checkpoint.Save(folder, config, model.Parameters.All, DType.F32, files);
    }
}
