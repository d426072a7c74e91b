using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Tessera.Models.Checkpoints;
using Tessera.Models.Families;
using Tessera.Tensors;
using Tessera.Tensors.Files;
using Tessera.Testing;
using Xunit;

namespace Tessera.Models.Tests.Checkpoints;

public sealed class CheckpointRoundTripTests
{
    private const int DiskBytes = 1 << 18;

    private static Gen<TransformerConfig> Configs =>
        from family in Gen.Elements("llama", "qwen3", "gpt2")
        from sizes in Gen.Choose(1, 9).ArrayOf(5)
        from keyHeads in Gen.Choose(1, 3)
        from shared in Gen.Choose(1, 3)
        from flags in ArbMap.Default.GeneratorFor<bool>().ArrayOf(6)
        from turned in Gen.Choose(1, sizes[4])
        from ids in Gen.Choose(0, 100).ArrayOf(3)
        from theta in Gen.Elements(1.0, 10_000, 5e5, 1e6, 12_345.678)
        let gpt2 = family == "gpt2"
        let heads = gpt2 ? keyHeads : keyHeads * shared
        select new TransformerConfig
        {
            Family = family,
            VocabularySize = sizes[0],
            Width = gpt2 ? heads * 2 * sizes[4] : sizes[1],
            Layers = 1 + (sizes[2] % 3),
            Heads = heads,
            KeyHeads = keyHeads,
            HeadSize = 2 * sizes[4],
            FeedForwardWidth = sizes[3],
            ContextLength = 1 + ids[0],
            Activation = gpt2
                ? flags[0] ? Activation.Gelu : Activation.GeluTanh
                : flags[0] ? Activation.GeGluTanh : Activation.SwiGlu,
            Norm = gpt2 ? Norm.Layer : Norm.Rms,
            NormEpsilon = flags[1] ? 1e-5 : 1e-6,
            QkNorm = family == "qwen3",
            AttentionBiases = gpt2 || flags[2],
            FeedForwardBiases = gpt2 || (flags[3] && family == "llama"),
            Rotary = gpt2 ? null : new RotaryConfig(theta, 2 * turned),
            LearnedPositions = gpt2,
            TiedEmbeddings = flags[4],
            BosId = flags[5] ? ids[1] : null,
            EosIds = [.. ids.Take(ids[2] % 4)],
        };

    [Property(MaxTest = 60)]
    public Property WhatIsWrittenIsRead() => Prop.ForAll(Configs.ToArbitrary(), config =>
    {
        using TemporaryFolder folder = new();
        string path = folder.Path("model");
        foreach (DType type in (DType[])[DType.F32, DType.BF16])
        {
            ParameterSet parameters = TinyModel.Parameters(config);
            Checkpoint.Save(path, config, parameters.All, type, TinyModel.Files, shardBytes: 100);
            using Checkpoint checkpoint = Checkpoint.Load(path);
            ParameterSet read = new(checkpoint.Config, spec => checkpoint.Copy(spec, DType.F32));
            Assert.Equal(config with { EosIds = checkpoint.Config.EosIds }, checkpoint.Config);
            Assert.Equal(config.EosIds, checkpoint.Config.EosIds);
            Assert.Equal(config.BosId, checkpoint.Generation.BosId);
            Assert.Equal(config.EosIds, checkpoint.Generation.EosIds);
            Assert.Equal(type, checkpoint.DType);
            Assert.Equal(parameters.All.Sum(parameter => parameter.Shape.Count), checkpoint.ParameterCount);
            Assert.Equal(TinyModel.Files.ChatTemplate, checkpoint.Files.ChatTemplate);
            Assert.Equal(TinyModel.Files.Tokenizer, checkpoint.Files.Tokenizer! with { Source = null });
            foreach ((Parameter written, Parameter found) in parameters.All.Zip(read.All))
            {
                Assert.Equal(written.Name, found.Name);
                Assert.Equal(written.Value.Span<float>(), found.Value.Span<float>());
            }
        }
    });

    [Fact]
    public void FieldsThatMeanNothingToUsAreCarriedThrough()
    {
        using TemporaryFolder folder = new();
        string path = folder.Path("model");
        TinyModel.Save(path, TinyModel.Qwen3);
        TinyModel.Change(Path.Combine(path, "config.json"), "initializer_range", "0.125");
        TinyModel.Change(Path.Combine(path, "config.json"), "made_by", "\"someone\"");
        TinyModel.Change(Path.Combine(path, "generation_config.json"), "temperature", "0.75");
        TinyModel.Change(Path.Combine(path, "generation_config.json"), "max_length", "20");
        TinyModel.Change(
            Path.Combine(path, "tokenizer_config.json"), "bos_token", """{"content":"<s>","lstrip":true}""");
        string copy = folder.Path("copy");
        using (Checkpoint checkpoint = Checkpoint.Load(path))
        {
            Assert.Equal(0.75, checkpoint.Generation.Temperature);
            Assert.Equal("<s>", checkpoint.Files.Tokenizer!.BosToken);
            TransformerConfig changed = checkpoint.Config with { VocabularySize = 7 };
            Checkpoint.Save(copy, changed, TinyModel.Parameters(changed).All, DType.F32, checkpoint.Files);
        }

        JsonObject config = Read(copy, "config.json");
        Assert.Equal(0.125, (double)config["initializer_range"]!);
        Assert.Equal("someone", (string)config["made_by"]!);
        Assert.Equal(7, (int)config["vocab_size"]!);
        JsonObject generation = Read(copy, "generation_config.json");
        Assert.Equal((0.75, 20), ((double)generation["temperature"]!, (int)generation["max_length"]!));
        Assert.True((bool)Read(copy, "tokenizer_config.json")["bos_token"]!["lstrip"]!);
    }

    [Fact]
    public void OlderFormsOfTheFilesAreRead()
    {
        using TemporaryFolder folder = new();
        string path = folder.Path("model");
        TinyModel.Save(path, TinyModel.Qwen3);
        TinyModel.Change(Path.Combine(path, "config.json"), "rope_parameters", null);
        TinyModel.Change(Path.Combine(path, "config.json"), "rope_theta", "500000.0");
        TinyModel.Change(Path.Combine(path, "config.json"), "dtype", null);
        TinyModel.Change(Path.Combine(path, "config.json"), "torch_dtype", "\"float32\"");
        File.Delete(Path.Combine(path, "chat_template.jinja"));
        File.Delete(Path.Combine(path, "generation_config.json"));
        TinyModel.Change(
            Path.Combine(path, "tokenizer_config.json"),
            "chat_template",
            """[{"name":"tools","template":"t"},{"name":"default","template":"d"}]""");
        string copy = folder.Path("copy");
        using (Checkpoint checkpoint = Checkpoint.Load(path))
        {
            Assert.Equal(new RotaryConfig(500_000, TinyModel.Qwen3.HeadSize), checkpoint.Config.Rotary);
            Assert.Equal("d", checkpoint.Files.ChatTemplate);
            Assert.Equal(TinyModel.Qwen3.EosIds, checkpoint.Generation.EosIds);
            ParameterSet parameters = new(checkpoint.Config, checkpoint.Mapped);
            Checkpoint.Save(copy, checkpoint.Config, parameters.All, DType.F32, checkpoint.Files);
        }

        JsonObject config = Read(copy, "config.json");
        Assert.Equal(500_000, (double)config["rope_parameters"]!["rope_theta"]!);
        Assert.False(config.ContainsKey("rope_theta") || config.ContainsKey("torch_dtype"));
        Assert.False(Read(copy, "tokenizer_config.json").ContainsKey("chat_template"));
        Assert.Equal("d", File.ReadAllText(Path.Combine(copy, "chat_template.jinja")));
    }

    [Fact]
    public void NamesWithoutThePrefixAndConstantsAreAccepted()
    {
        using TemporaryFolder folder = new();
        string path = folder.Path("model");
        ParameterSet parameters = TinyModel.Parameters(TinyModel.Gpt2);
        TinyModel.Save(path, TinyModel.Gpt2);
        List<StoredTensor> tensors = [
            .. parameters.All.Select(given => new StoredTensor(given.Name["transformer.".Length..], given.Value)),
            new("h.0.attn.bias", Tensor.Allocate(new Shape(1, 1, 8, 8), DType.U8)),
            new("lm_head.weight", parameters[ParameterKind.TokenEmbedding].Value)];
        SafetensorsWriter.Write(Path.Combine(path, "model.safetensors"), tensors);
        using Checkpoint checkpoint = Checkpoint.Load(path);
        ParameterSet read = new(checkpoint.Config, checkpoint.Mapped);
        Assert.Equal(parameters.All.Select(parameter => parameter.Name), read.All.Select(parameter => parameter.Name));
    }

    [Fact]
    public void ParametersOfAnotherModelAreNotWritten()
    {
        using TemporaryFolder folder = new();
        TransformerConfig other = TinyModel.Qwen3 with { Layers = 3 };
        (TransformerConfig Wanted, TransformerConfig Given)[] cases =
            [(TinyModel.Qwen3, other), (other, TinyModel.Qwen3), (TinyModel.Qwen3, TinyModel.Qwen3 with { Width = 7 })];
        foreach ((TransformerConfig config, TransformerConfig made) in cases)
        {
            ParameterSet parameters = TinyModel.Parameters(made);
            Assert.Throws<ArgumentException>(
                () => Checkpoint.Save(folder.Path("model"), config, parameters.All, DType.F32, TinyModel.Files));
            Assert.Empty(Directory.GetFileSystemEntries(folder.Path("")));
        }
    }

    [Fact]
    public void AChoiceThatTheFamilysConfigCannotStateIsNotWritten()
    {
        using TemporaryFolder folder = new();
        TransformerConfig[] wrong =
        [
            TinyModel.Qwen3 with { Rotary = null },
            TinyModel.Qwen3 with { Norm = Norm.Layer },
            TinyModel.Qwen3 with { Activation = Activation.Gelu },
            TinyModel.Qwen3 with { QkNorm = false },
            TinyModel.Gpt2 with { Norm = Norm.Rms },
            TinyModel.Gpt2 with { Activation = Activation.SwiGlu },
        ];
        foreach (TransformerConfig config in wrong)
        {
            IEnumerable<Parameter> parameters = ModelFamily.Of(config.Family).Parameters(config)
                .Select(spec => new Parameter(spec.Name, Tensor.Allocate(spec.Shape, DType.F32)));
            ArgumentException error = Assert.Throws<ArgumentException>(
                () => Checkpoint.Save(folder.Path("model"), config, parameters, DType.F32, TinyModel.Files));
            Assert.Contains("can't state", error.Message, StringComparison.Ordinal);
            Assert.Empty(Directory.GetFileSystemEntries(folder.Path("")));
        }
    }

    // Where config.json leaves head_dim out, transformers takes 128 for Qwen3, whatever the width.
    [Fact]
    public void AnAbsentHeadSizeIsTheFamilysDefault()
    {
        using TemporaryFolder folder = new();
        string path = folder.Path("model");
        TransformerConfig config = TinyModel.Qwen3 with { HeadSize = 128, Rotary = new RotaryConfig(10_000, 128) };
        ParameterSet parameters = TinyModel.Parameters(config);
        Checkpoint.Save(path, config, parameters.All, DType.F32, TinyModel.Files);
        TinyModel.Change(Path.Combine(path, "config.json"), "head_dim", null);
        using Checkpoint checkpoint = Checkpoint.Load(path);
        Assert.Equal(128, checkpoint.Config.HeadSize);
    }

    [Fact]
    public void AFolderWithOtherThingsInItIsNotReplaced()
    {
        using TemporaryFolder folder = new();
        string path = folder.Path("model");
        TinyModel.Save(path, TinyModel.Qwen3);
        TinyModel.Save(path, TinyModel.Qwen3);
        File.WriteAllText(Path.Combine(path, "thesis.txt"), "three years of work");
        IOException error = Assert.Throws<IOException>(() => TinyModel.Save(path, TinyModel.Qwen3));
        Assert.Contains("because it holds thesis.txt too", error.Message);
        Assert.True(File.Exists(Path.Combine(path, "thesis.txt")));
    }

    [Fact]
    public void AFullDiskLeavesTheOldModel()
    {
        using SmallDisk disk = SmallDisk.Mount(DiskBytes);
        string path = disk.Path("model");
        TinyModel.Save(path, TinyModel.Qwen3);
        TransformerConfig large = TinyModel.Qwen3 with { VocabularySize = DiskBytes / TinyModel.Qwen3.Width };
        IOException error = Assert.Throws<IOException>(() => TinyModel.Save(path, large));
        Assert.StartsWith($"{path}: could not be written: the disk is full", error.Message);
        using Checkpoint checkpoint = Checkpoint.Load(path);
        Assert.Equal(TinyModel.Qwen3.VocabularySize, checkpoint.Config.VocabularySize);
        Assert.Equal([path], Directory.GetFileSystemEntries(disk.Path("")));
    }

    private static JsonObject Read(string folder, string file) =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(folder, file)))!.AsObject();
}
