using System.Text;
using Tessera.Models.Checkpoints;
using Tessera.Tensors;
using Tessera.Tensors.Files;
using Tessera.Testing;
using Xunit;

namespace Tessera.Models.Tests.Checkpoints;

public sealed class CheckpointHostileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("vocab_size", null, "vocab_size is absent")]
    [InlineData("vocab_size", "\"many\"", "vocab_size is \"many\"")]
    [InlineData("vocab_size", "0", "vocab_size is 0; a whole number from 1")]
    [InlineData("vocab_size", "-11", "vocab_size is -11")]
    [InlineData("vocab_size", "11.5", "vocab_size is 11.5")]
    [InlineData("vocab_size", "1e400", "vocab_size is 1e400")]
    [InlineData("vocab_size", "99999999999999999999", "vocab_size is 99999999999999999999")]
    [InlineData("vocab_size", "8388609", "vocab_size is 8388609")]
    [InlineData("vocab_size", "[11]", "vocab_size is a list")]
    [InlineData("vocab_size", "12", "F32 (11,6); config.json wants floating-point numbers of (12,6)")]
    [InlineData("hidden_size", "131073", "hidden_size is 131073")]
    [InlineData("num_hidden_layers", "4097", "num_hidden_layers is 4097")]
    [InlineData("num_hidden_layers", "4096", "tensor model.layers.2.self_attn.q_proj.weight of (16,6) is missing")]
    [InlineData("num_hidden_layers", "1", "11 tensors are not of config.json's model, first \"model.layers.1")]
    [InlineData("num_attention_heads", "true", "num_attention_heads is true")]
    [InlineData("num_key_value_heads", "3", "4 heads can't be shared among 3 key heads")]
    [InlineData("head_dim", "5", "Rotary.Dimensions 5 must be even")]
    [InlineData("head_dim", "16384", "embed")]
    [InlineData("intermediate_size", "{}", "intermediate_size is an object")]
    [InlineData("max_position_embeddings", "0", "max_position_embeddings is 0")]
    [InlineData("rms_norm_eps", "\"1e-6\"", "rms_norm_eps is \"1e-6\"")]
    [InlineData("rms_norm_eps", "-1e-6", "rms_norm_eps is -1")]
    [InlineData("rms_norm_eps", "2", "rms_norm_eps is 2")]
    [InlineData("hidden_act", "\"relu6\"", "hidden_act is \"relu6\"; silu or gelu_pytorch_tanh")]
    [InlineData("tie_word_embeddings", "\"yes\"", "tie_word_embeddings is \"yes\"")]
    [InlineData("tie_word_embeddings", "false", "tensor lm_head.weight of (11,6) is missing")]
    [InlineData("rope_parameters", "[]", "rope_parameters is a list")]
    [InlineData("rope_parameters.rope_type", "\"yarn\"", "rope_parameters.rope_type is \"yarn\"; default is wanted")]
    [InlineData("rope_parameters.rope_theta", "0", "rope_parameters.rope_theta is 0")]
    [InlineData("rope_parameters.partial_rotary_factor", "0.1", "Rotary.Dimensions 0 must be even")]
    [InlineData("eos_token_id", "\"</s>\"", "eos_token_id is \"</s>\"")]
    [InlineData("eos_token_id", "[1,null]", "eos_token_id is a list; a token's id")]
    [InlineData("bos_token_id", "-1", "bos_token_id is -1")]
    [InlineData("use_sliding_window", "true", "use_sliding_window is true; false is wanted")]
    [InlineData("layer_types", "[\"sliding_attention\"]", "layer_types is a list; full_attention for every layer")]
    [InlineData("layer_types", "7", "layer_types is 7")]
    [InlineData("model_type", null, "model_type is absent")]
    [InlineData("model_type", "7", "model_type is 7")]
    public void AWrongFieldOfTheConfigurationIsNamed(string field, string? json, string fault)
    {
        string folder = Good();
        TinyModel.Change(Path.Combine(folder, "config.json"), field, json);
        AssertRefused(folder, fault == "embed" ? "q_proj.weight is F32 (16,6)" : fault);
    }

    [Theory]
    [InlineData("generation_config.json", "temperature", "-1", "temperature is -1")]
    [InlineData("generation_config.json", "temperature", "\"hot\"", "temperature is \"hot\"")]
    [InlineData("generation_config.json", "top_k", "0.5", "top_k is 0.5")]
    [InlineData("generation_config.json", "top_p", "1.5", "top_p is 1.5")]
    [InlineData("generation_config.json", "do_sample", "1", "do_sample is 1")]
    [InlineData("generation_config.json", "eos_token_id", "{}", "eos_token_id is an object")]
    [InlineData("tokenizer_config.json", "bos_token", "7", "bos_token is 7")]
    [InlineData("tokenizer_config.json", "bos_token", "{}", "bos_token.content is absent")]
    [InlineData("tokenizer_config.json", "model_max_length", "\"long\"", "model_max_length is \"long\"")]
    public void AWrongFieldOfASmallerFileIsNamed(string file, string field, string json, string fault)
    {
        string folder = Good();
        TinyModel.Change(Path.Combine(folder, file), field, json);
        AssertRefused(folder, $"{file}: {fault}");
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("generation_config.json")]
    [InlineData("tokenizer_config.json")]
    public void AFileThatIsNoObjectIsRefused(string file)
    {
        string folder = Good();
        string path = Path.Combine(folder, file);
        string[] contents =
        [
            "", "[]", "null", "{", "{\"a\":1}}", "{\"a\":1,\"a\":2}", new string('[', 1000), "\0",
            "{\"a\":[\"\\ud800\"]}", "{\"\\ud800\":1}", "{\"a\":\"\xFF\"}", "{\"\xFF\":1}",
        ];
        foreach (string content in contents)
        {
            File.WriteAllBytes(path, Encoding.Latin1.GetBytes(content));
            AssertRefused(folder, file);
        }
    }

    [Fact]
    public void AnUnknownArchitectureIsNamedWithThoseThatAreKnown()
    {
        string folder = Good();
        string path = Path.Combine(folder, "config.json");
        TinyModel.Change(path, "model_type", "\"mamba\"");
        TinyModel.Change(path, "architectures", "[\"MambaForCausalLM\"]");
        AssertRefused(folder, "model_type \"mamba\" (architecture \"MambaForCausalLM\") is not supported");
        AssertRefused(folder, "; gpt2, llama, qwen3 are");
    }

    [Fact]
    public void ALargeConfigurationIsRefusedUnread()
    {
        string folder = Good();
        using (FileStream file = File.Create(Path.Combine(folder, "config.json")))
        {
            file.SetLength(1L << 40);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        AssertRefused(folder, "1,099,511,627,776 bytes; at most 1,048,576 are read");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void ATemplateThatIsNotUtf8IsRefused()
    {
        string folder = Good();
        File.WriteAllBytes(Path.Combine(folder, "chat_template.jinja"), [(byte)'a', 0xFF]);
        AssertRefused(folder, "chat_template.jinja: byte 1 is not UTF-8");
    }

    [Fact]
    public void AFolderThatIsNoModelSaysSo()
    {
        FileNotFoundException error = Assert.Throws<FileNotFoundException>(() => Checkpoint.Load(_folder.Path("")));
        Assert.Contains("is no model: it has no config.json", error.Message);
        Assert.Throws<FileNotFoundException>(() => Checkpoint.Load(_folder.Path("absent")));

        string folder = Good();
        File.Delete(Path.Combine(folder, "model.safetensors"));
        Assert.Throws<FileNotFoundException>(() => Checkpoint.Load(folder));
    }

    [Fact]
    public void AnUnexpectedTensorIsNamed()
    {
        string folder = Rewritten(tensors => tensors.Add(new("model.extra", tensors[0].Value)));
        AssertRefused(folder, "1 tensors are not of config.json's model, first \"model.extra\"");
    }

    [Fact]
    public void WeightsOfIntegersAreRefused()
    {
        string folder = Rewritten(tensors =>
            tensors[0] = new(tensors[0].Name, Tensor.Allocate(tensors[0].Value.Shape, DType.I32)));
        AssertRefused(folder, "is I32");
    }

    [Theory]
    [InlineData(float.NaN, DType.F32)]
    [InlineData(float.NegativeInfinity, DType.F32)]
    [InlineData(float.NaN, DType.BF16)]
    [InlineData(float.PositiveInfinity, DType.F16)]
    public void AValueThatIsNotFiniteIsNamedWhereItIsRead(float value, DType type)
    {
        string folder = _folder.Path("model");
        ParameterSet parameters = TinyModel.Parameters(TinyModel.Qwen3);
        parameters[ParameterKind.Down, 1].Value.Span<float>()[7] = value;
        Checkpoint.Save(folder, TinyModel.Qwen3, parameters.All, type, TinyModel.Files);
        using Checkpoint checkpoint = Checkpoint.Load(folder);
        ParameterSpec down = TinyModel.Specs(TinyModel.Qwen3)
            .Single(spec => spec is { Kind: ParameterKind.Down, Layer: 1 });
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => checkpoint.Copy(down, DType.F32));
        Assert.Contains($"tensor model.layers.1.mlp.down_proj.weight: value 7 is {value}", error.Message);
        Assert.Throws<InvalidDataException>(() => checkpoint.Fill(parameters.All));
        Assert.Throws<InvalidDataException>(() => checkpoint.Mapped(down));
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("generation_config.json")]
    [InlineData("tokenizer_config.json")]
    [InlineData("model.safetensors")]
    [InlineData("chat_template.jinja")]
    public void DamagedFilesAreReadOrRefused(string file)
    {
        string folder = Good();
        string path = Path.Combine(folder, file);
        byte[] original = File.ReadAllBytes(path);
        (int read, int refused) = Fuzz.Run(
            original,
            seed: 3,
            bytesAllowed: 4 << 20,
            bytes =>
            {
                File.WriteAllBytes(path, bytes);
                using Checkpoint checkpoint = Checkpoint.Load(folder);
                foreach (ParameterSpec spec in TinyModel.Specs(checkpoint.Config))
                {
                    _ = Goldens.ToDoubles(checkpoint.Mapped(spec)).Sum();
                }
            },
            error => error is InvalidDataException && error.Message.Contains(folder, StringComparison.Ordinal));
        Assert.InRange(refused, 1, read);
    }

    private static void AssertRefused(string folder, string fault)
    {
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => Checkpoint.Load(folder));
        Assert.StartsWith(folder, error.Message);
        Assert.Contains(fault, error.Message);
    }

    private string Good()
    {
        string folder = _folder.Path("model");
        TinyModel.Save(folder, TinyModel.Qwen3);
        return folder;
    }

    private string Rewritten(Action<List<StoredTensor>> change)
    {
        string folder = Good();
        ParameterSet parameters = TinyModel.Parameters(TinyModel.Qwen3);
        List<StoredTensor> tensors =
            [.. parameters.All.Select(parameter => new StoredTensor(parameter.Name, parameter.Value))];
        change(tensors);
        SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), tensors);
        return folder;
    }
}
