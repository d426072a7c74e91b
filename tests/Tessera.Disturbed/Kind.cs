namespace Tessera.Disturbed;

/// <summary>A kind of reference file, and tests that must fail when its values are wrong.</summary>
/// <param name="Folder">The folder under goldens.</param>
/// <param name="Files">The files of this kind: a pattern of names, searched in all folders below.</param>
/// <param name="Leaves">What is disturbed of a JSON file; of tensors and of text it is always the values.</param>
/// <param name="Project">The test project.</param>
/// <param name="Methods">The tests, as patterns of class and method.</param>
/// <param name="All">Whether every case of those tests reads a disturbed value; else one must fail.</param>
internal sealed record Kind(
    string Folder, string Files, Leaves Leaves, string Project, string[] Methods, bool All = true)
{
    private static readonly string[] _models = ["*.GoldenModelTests.*"];
    private static readonly string[] _formulas =
        [.. _models, "*.TrajectoryTests.SchedulesMatch", "*.TrajectoryTests.NewtonSchulzMatches"];
    private static readonly string[] _runs = ["*.TrajectoryTests.FollowsPyTorch"];
    private static readonly string[] _logits = ["*.TransformerTests.LogitsMatch*"];
    private static readonly string[] _gradients = ["*.TransformerTests.Gradients*"];
    private static readonly string[] _writing = ["*.CheckpointTests.WritesWithout*"];
    private static readonly string[] _training =
        ["*.BpeTrainerTests.MergesCountsAndTokensAreTheFiles", "*.BpeTrainerTests.EncodingsOfEachSizeAreTheFiles"];
    private static readonly string[] _tokenizers =
        ["*.ByteLevelBpeTests.WhatIsTrained*", "*.ByteLevelBpeTests.LoadedFiles*"];

    private static readonly string[] _ggufs = ["*.GgufModelTests.SmallModels*"];
    private static readonly string[] _vocabularies = ["*.GgufTokenizerTests.Vocabularies*"];

    /// <summary>Every kind that some test reads. A new test of a new kind of file gets its line here.</summary>
    public static IReadOnlyList<Kind> Table { get; } =
    [
        new("training", "ops.safetensors", Leaves.None, "Tensors", ["*.OpsGoldenTests.*", "*.AttentionGoldenTests.*"]),
        new("training", "ops.json", Leaves.Floats, "Tensors", ["*.OpsGoldenTests.*"], All: false),
        new("training", "batches.safetensors", Leaves.None, "Training", _models),
        new("training", "llama.safetensors", Leaves.None, "Training", _models, All: false),
        new("training", "llama-tied.safetensors", Leaves.None, "Training", _models, All: false),
        new("training", "gpt2.safetensors", Leaves.None, "Training", _models, All: false),
        new("training", "*.gradients.safetensors", Leaves.None, "Training", _models),
        new("training", "*.final.safetensors", Leaves.None, "Training", _runs, All: false),
        new("training", "training.json", Leaves.Floats, "Training", _formulas),
        new("hf-folders", "logits.safetensors", Leaves.None, "Models", _logits),
        new("hf-folders", "gradients.safetensors", Leaves.None, "Models", _gradients),
        new("hf-folders", "expected.json", Leaves.Floats, "Models", _gradients),
        new("hf-folders", "model*.safetensors", Leaves.None, "Models", _logits),
        new("hf-folders", "config.json", Leaves.Integers, "Models", [.. _logits, "*.CheckpointTests.*"]),
        new("hf-folders", "generation_config.json", Leaves.Integers, "Models", _writing),
        new("hf-folders", "tokenizer_config.json", Leaves.Strings, "Models", _writing),
        new("hf-folders", "*.index.json", Leaves.Integers, "Models", _writing, All: false),
        new("hf-folders", "tokenizer.json", Leaves.Integers, "Models", ["*.CheckpointTokenizerTests.*"]),
        new("sampling", "sampling.json", Leaves.Floats, "Inference", ["*.SamplingReferenceTests.*"]),
        new("tokenizer-training", "bpe_training.json", Leaves.Integers, "Models", _training),
        new("tokenizer-training", "bpe-*.json", Leaves.Integers, "Models", _tokenizers),
        new("tokenizer-training", "corpus.txt", Leaves.None, "Models", _training),
        new(".", "quant_vectors.json", Leaves.Integers, "Tensors", ["*.QuantVectorsTests.BlocksExpand*"]),
        new("text", "*.gguf", Leaves.None, "Models", _ggufs),
        new("text", "*.logits.f32", Leaves.None, "Models", _ggufs),
        new("tokenizers", "*.inp", Leaves.None, "Models", _vocabularies),
        new("smollm2", "last_logits.safetensors", Leaves.None, "Models", ["*.GgufModelTests.TheRealModel*"]),
        new("smollm2", "tokenizer.json", Leaves.Integers, "Models", ["*.GgufTokenizerTests.TheRealModel*"]),
        new("smollm2", "chat.json", Leaves.Integers, "Inference", ["*.SmolLm2Tests.Conversations*"]),
        new("smollm2", "greedy.json", Leaves.Strings, "Inference", ["*.SmolLm2Tests.Greedy*"]),
        new("metrics", "metrics.json", Leaves.Floats, "Training", ["*.HeldOutEvaluationTests.AgreesWith*"]),
    ];
}
