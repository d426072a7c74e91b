using Tessera.Models.Checkpoints;
using Tessera.Models.Families;
using Tessera.Tensors;
using Tessera.Tensors.Files;
using Tessera.Testing;
using Xunit;

namespace Tessera.Models.Tests.Checkpoints;

public sealed class CheckpointTests
{
    public static TheoryData<string> Folders =>
        [.. Directory.GetDirectories(Root).Order().Select(folder => Path.GetFileName(folder))];

    private static string Root => SharedFiles.Path("goldens/hf-folders");

    public static string Folder(string name) => Path.Combine(Root, name);

    [Theory]
    [MemberData(nameof(Folders))]
    public void WritesTheSameBytesAsTransformers(string name)
    {
        string source = Folder(name);
        using TemporaryFolder folder = new();
        string written = folder.Path("model");
        using (Checkpoint checkpoint = Checkpoint.Load(source))
        {
            ParameterSet parameters = new(checkpoint.Config, checkpoint.Mapped);
            Checkpoint.Save(
                written, checkpoint.Config, parameters.All, checkpoint.DType, checkpoint.Files, ShardBytes(source));
        }

        AssertSameFiles(source, written);
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void WritesWithoutASourceWhatTransformersWrites(string name)
    {
        // Nothing of the small JSON files is carried through here: all that they say comes from our own constants.
        string source = Folder(name);
        using TemporaryFolder folder = new();
        string written = folder.Path("model");
        using (Checkpoint checkpoint = Checkpoint.Load(source))
        {
            ParameterSet parameters = new(checkpoint.Config, spec => checkpoint.Copy(spec, DType.F32));
            CheckpointFiles files = new()
            {
                ChatTemplate = checkpoint.Files.ChatTemplate,
                TokenizerJson = checkpoint.Files.TokenizerJson,
                Tokenizer = new TokenizerSettings
                {
                    BosToken = checkpoint.Files.Tokenizer!.BosToken,
                    EosToken = checkpoint.Files.Tokenizer.EosToken,
                    MaximumLength = checkpoint.Files.Tokenizer.MaximumLength,
                },
            };
            Checkpoint.Save(
                written, checkpoint.Config, parameters.All, checkpoint.DType, files, ShardBytes(source));
        }

        AssertSameFiles(source, written);
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void FillsParametersOfEveryType(string name)
    {
        using Checkpoint checkpoint = Checkpoint.Load(Folder(name));
        foreach (DType type in (DType[])[DType.F32, DType.F64])
        {
            ParameterSet parameters = new(checkpoint.Config, spec => Tensor.Allocate(spec.Shape, type));
            checkpoint.Fill(parameters.All);
            foreach (ParameterSpec spec in ModelFamily.Of(checkpoint.Config.Family).Parameters(checkpoint.Config))
            {
                Parameter parameter = parameters[spec.Kind, spec.Layer];
                Assert.Equal(spec.InputMajor, parameter.InputMajor);
                Assert.Equal(1, parameter.Version);
                Assert.Equal(Goldens.ToDoubles(checkpoint.Mapped(spec)), Goldens.ToDoubles(parameter.Value));
            }
        }
    }

    /// <summary>
    /// Returns a shard size that cuts as the folder is cut: the largest of several tensors that it has together.
    /// </summary>
    private static long ShardBytes(string folder)
    {
        using SafetensorsShards shards = SafetensorsShards.Open(folder);
        return shards.Files.Count == 1 ? Checkpoint.DefaultShardBytes : shards.Files
            .Where(file => file.Names.Count > 1)
            .Max(file => file.Names.Sum(name => file[name].Shape.Count * file[name].DType.Size()));
    }

    private static void AssertSameFiles(string expected, string actual)
    {
        Assert.Equal(Names(expected), Names(actual));
        foreach (string name in Names(expected))
        {
            byte[] wanted = File.ReadAllBytes(Path.Combine(expected, name));
            byte[] given = File.ReadAllBytes(Path.Combine(actual, name));
            if (name.EndsWith(".json", StringComparison.Ordinal))
            {
                Assert.Equal(System.Text.Encoding.UTF8.GetString(wanted), System.Text.Encoding.UTF8.GetString(given));
            }

            Assert.True(wanted.AsSpan().SequenceEqual(given), $"{name} differs from {expected}");
        }
    }

    private static string[] Names(string folder) => [.. Directory.GetFiles(folder).Select(Path.GetFileName).Order()!];
}
