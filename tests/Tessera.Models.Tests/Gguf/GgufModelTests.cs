using System.Runtime.InteropServices;
using System.Text.Json;
using Tessera.Models.Gguf;
using Tessera.Tensors;
using Tessera.Tensors.Files;
using Tessera.Testing;
using Xunit;

namespace Tessera.Models.Tests.Gguf;

public sealed class GgufModelTests
{
    // How goldens/text makes its tokens; the sizes come from the files.
    private const uint Seed = 12345;

    [Theory]
    [InlineData("llama", Limits.TextLogits)]
    [InlineData("llama-256", Limits.TextLogits)]
    [InlineData("qwen3", Limits.TextLogits)]
    [InlineData("gpt2", Limits.TextLogitsGelu)]
    public void SmallModelsGiveTheLogitsOfTheFiles(string name, double limit)
    {
        using GgufModel model = GgufModel.Open(SharedFiles.Path($"goldens/text/{name}.gguf"));
        byte[] stored = File.ReadAllBytes(SharedFiles.Path($"goldens/text/{name}.logits.f32"));
        ReadOnlySpan<float> wanted = MemoryMarshal.Cast<byte, float>(stored);
        int V = model.Config.VocabularySize;
        int[] tokens = Tokens(wanted.Length / V, V);
        Assert.InRange(NormalisedError(wanted, Logits(model, tokens)), 0, limit);
    }

    [Fact]
    public void TheRealModelGivesItsLogits()
    {
        using JsonDocument prompts = JsonDocument.Parse(
            File.ReadAllBytes(SharedFiles.Path("goldens/smollm2/logits.json")));
        using SafetensorsFile last = Goldens.Open("goldens/smollm2/last_logits.safetensors");
        foreach (string path in Directory.GetFiles(SharedFiles.Path("models"), "SmolLM2*.gguf"))
        {
            using GgufModel model = GgufModel.Open(path);
            Transformer transformer = model.Serve();
            foreach (JsonElement prompt in prompts.RootElement.EnumerateArray())
            {
                int[] ids = [.. prompt.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];
                float[] wanted = last[prompt.GetProperty("name").GetString()!].ToArray<float>();
                float[] given = Logits(transformer, ids)[^wanted.Length..];
                Assert.InRange(NormalisedError(wanted, given), 0, Limits.SmolLogits);
                Assert.InRange(wanted.Zip(given, (a, b) => Math.Abs(a - b)).Max(), 0, Limits.SmolLargest);
            }
        }
    }

    [Theory]
    [InlineData("mixtral", "is missing among")]
    [InlineData("llama-yarn", "llama.rope.scaling.type is \"yarn\"; none is wanted")]
    [InlineData("llama3-ropefreqs", "\"rope_freqs.weight\"")]
    [InlineData("gemma3", "\"gemma3\" is not supported; gpt2, llama, qwen3 are")]
    public void AModelThatIsNotSupportedSaysWhy(string name, string fault)
    {
        string path = SharedFiles.Path($"goldens/text/{name}.gguf");
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => GgufModel.Open(path));
        Assert.StartsWith(path, error.Message);
        Assert.Contains(fault, error.Message);
    }

    // Damage in keys and places of a real file: read as before, or refused as documented.
    [Theory]
    [InlineData("llama")]
    [InlineData("gpt2")]
    public void DamagedFilesAreReadOrRefused(string name)
    {
        using TemporaryFolder folder = new();
        string path = folder.Path("damaged.gguf");
        byte[] original = File.ReadAllBytes(SharedFiles.Path($"goldens/text/{name}.gguf"));
        (int read, int refused) = Fuzz.Run(
            original,
            seed: 1,
            bytesAllowed: 4 * original.Length,
            bytes =>
            {
                File.WriteAllBytes(path, bytes);
                using GgufModel model = GgufModel.Open(path);

                // A context of any length is right; who serves it asks for the memory first.
                model.Serve(contextLength: 16);
            },
            error => error is InvalidDataException && error.Message.StartsWith(path, StringComparison.Ordinal));
        Assert.InRange(refused, 1, read);
    }

    private static int[] Tokens(int count, int vocabulary)
    {
        int[] tokens = new int[count];
        uint state = Seed;
        for (int i = 0; i < count; i++)
        {
            state = unchecked((state * 1_664_525) + 1_013_904_223);
            tokens[i] = (int)((state >> 8) % (uint)vocabulary);
        }

        return tokens;
    }

    private static float[] Logits(GgufModel model, int[] tokens) => Logits(model.Serve(), tokens);

    private static float[] Logits(Transformer transformer, int[] tokens)
    {
        using TensorScope scope = TensorScope.Begin();
        Segments segments = new();
        segments.Add(tokens.Length);
        return transformer.Logits(transformer.Forward(tokens, segments)).ToArray<float>();
    }

    private static double NormalisedError(ReadOnlySpan<float> wanted, ReadOnlySpan<float> given)
    {
        Assert.Equal(wanted.Length, given.Length);
        (double error, double power) = (0, 0);
        for (int i = 0; i < wanted.Length; i++)
        {
            error += Math.Pow((double)wanted[i] - given[i], 2);
            power += Math.Pow(wanted[i], 2);
        }

        return error / power;
    }
}
