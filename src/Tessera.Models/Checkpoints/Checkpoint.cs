using Tessera.Models.Families;
using Tessera.Models.Tokenizers;
using Tessera.Tensors;
using Tessera.Tensors.Files;
using Tessera.Tensors.Kernels;

namespace Tessera.Models.Checkpoints;

/// <summary>
/// Reads and writes a model in Hugging Face's form: a folder with config.json, safetensors and the tokenizer's files.
/// The tensors stay in the mapped files until they are asked for.
/// </summary>
public sealed class Checkpoint : StoredModel
{
    /// <summary>The largest shard that is written unless another size is asked for, as in transformers 5.</summary>
    public const long DefaultShardBytes = 50_000_000_000;

    private static readonly Dictionary<string, string> _metadata = new() { ["format"] = "pt" };

    private readonly SafetensorsShards _shards;
    private readonly Dictionary<string, Tensor> _tensors = new(StringComparer.Ordinal);

    private Checkpoint(string folder, TransformerConfig config, CheckpointFiles files, SafetensorsShards shards)
    {
        (Folder, Config, Files, _shards) = (folder, config, files, shards);
        Generation = files.Generation ?? GenerationConfig.Of(config);
    }

    /// <summary>Gets the folder.</summary>
    public string Folder { get; }

    /// <inheritdoc/>
    public override string Location => Folder;

    /// <inheritdoc/>
    public override TransformerConfig Config { get; }

    /// <inheritdoc/>
    public override GenerationConfig Generation { get; }

    /// <summary>Gets the tokenizer's files, the chat template and what else goes with the model.</summary>
    public CheckpointFiles Files { get; }

    /// <inheritdoc/>
    public override DType DType => _tensors[EmbeddingName].DType;

    /// <summary>
    /// Gets what a served model computes in: BF16 where that is the stored type and the processor multiplies it, else
    /// F32.
    /// </summary>
    public override DType ServingType =>
        DType == DType.BF16 && KernelSet.Default.MultipliesBFloat16 ? DType.BF16 : DType.F32;

    /// <inheritdoc/>
    public override long ParameterCount => _tensors.Values.Sum(tensor => tensor.Shape.Count);

    /// <inheritdoc/>
    public override long FileBytes =>
        Directory.EnumerateFiles(Folder, "*.safetensors").Sum(file => new FileInfo(file).Length);

    /// <inheritdoc/>
    public override DateTimeOffset Written => File.GetLastWriteTimeUtc(ConfigPath(Folder));

    /// <inheritdoc/>
    public override bool HasTokenizer => Files.TokenizerJson is not null;

    /// <inheritdoc/>
    public override string? ChatTemplate => Files.ChatTemplate;

    /// <inheritdoc/>
    public override bool BeginsTexts => Files.Tokenizer?.AddBosToken is true;

    private string EmbeddingName => ModelFamily.Of(Config.Family).Parameters(Config)
        .First(spec => spec.Kind == ParameterKind.TokenEmbedding).Name;

    /// <summary>Reads a folder and checks that its tensors are those that its configuration describes.</summary>
    /// <exception cref="InvalidDataException">
    /// A file is broken, the architecture is unknown, or a tensor is missing, unexpected or of other sizes; the message
    /// names file, field or tensor, and value.
    /// </exception>
    /// <exception cref="FileNotFoundException">There is no config.json or no safetensors file.</exception>
    /// <exception cref="UnauthorizedAccessException">A file may not be read.</exception>
    /// <exception cref="IOException">A file can't be read.</exception>
    public static Checkpoint Load(string folder)
    {
        AtomicFolder.Restore(folder);
        string path = ConfigPath(folder);
        if (!File.Exists(path))
        {
            HiddenPath.ThrowIfHidden(path);
            throw new FileNotFoundException($"{folder}: is no model: it has no {CheckpointFiles.ConfigName}", path);
        }

        JsonFields fields = JsonFields.Read(path);
        ModelFamily family = Family(fields);
        TransformerConfig config;
        try
        {
            config = family.Read(fields).Validate();
        }
        catch (ArgumentException wrong)
        {
            throw new InvalidDataException($"{path}: {wrong.Message}", wrong);
        }

        CheckpointFiles files = CheckpointFiles.Read(folder, fields);
        SafetensorsShards shards = SafetensorsShards.Open(folder);
        try
        {
            Checkpoint checkpoint = new(folder, config, files, shards);
            checkpoint.FindTensors(family);
            return checkpoint;
        }
        catch
        {
            shards.Dispose();
            throw;
        }
    }

    /// <summary>Writes a model's folder whole or not at all, in place of one that is there.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="config">The model's configuration.</param>
    /// <param name="parameters">The parameters, in any order.</param>
    /// <param name="type">The type that the values are stored in.</param>
    /// <param name="files">The tokenizer's files and what else goes with the model.</param>
    /// <param name="shardBytes">The largest shard.</param>
    /// <exception cref="ArgumentException">The parameters are not those of the configuration.</exception>
    /// <exception cref="IOException">
    /// The disk is full or fails, or the folder holds something else than a checkpoint; it stays as it is.
    /// </exception>
    /// <exception cref="UnauthorizedAccessException">There is no permission to write beside the folder.</exception>
    public static void Save(
        string folder,
        TransformerConfig config,
        IEnumerable<Parameter> parameters,
        DType type,
        CheckpointFiles files,
        long shardBytes = DefaultShardBytes)
    {
        string? stranger = !Directory.Exists(folder) ? null : Directory.EnumerateFileSystemEntries(folder)
            .FirstOrDefault(entry => !CheckpointFiles.IsKnown(Path.GetFileName(entry)));
        if (stranger is not null)
        {
            throw new IOException(
                $"{folder}: is not replaced by a checkpoint, because it holds {Path.GetFileName(stranger)} too");
        }

        AtomicFolder.Write(folder, temporary => Write(temporary, config, parameters, type, files, shardBytes));
    }

    /// <summary>Writes a model's files into a folder; the caller sees to it that the folder appears whole.</summary>
    /// <inheritdoc cref="Save"/>
    public static void Write(
        string folder,
        TransformerConfig config,
        IEnumerable<Parameter> parameters,
        DType type,
        CheckpointFiles files,
        long shardBytes = DefaultShardBytes)
    {
        Dictionary<string, Parameter> byName = ByName(parameters);
        List<StoredTensor> tensors = [];
        foreach (ParameterSpec spec in ModelFamily.Of(config.Family).Parameters(config.Validate()))
        {
            if (!byName.Remove(spec.Name, out Parameter? parameter) || parameter.Shape != spec.Shape)
            {
                string given = parameter?.Shape.ToString() ?? "none";
                throw new ArgumentException(
                    $"Checkpoint: parameter {spec.Name} of {spec.Shape} is wanted, {given} is given");
            }

            tensors.Add(new StoredTensor(spec.Name, parameter.Value, type));
        }

        if (byName.Count > 0)
        {
            throw new ArgumentException($"Checkpoint: {byName.Keys.First()} is no parameter of this configuration");
        }

        files.Write(folder, config, type);
        SafetensorsShards.Write(folder, tensors, shardBytes, _metadata);
    }

    /// <summary>
    /// Returns a parameter's values as they lie in the mapped file: read-only, until this is disposed.
    /// </summary>
    /// <exception cref="InvalidDataException">A value is infinite or none.</exception>
    public Tensor Mapped(ParameterSpec spec)
    {
        Tensor tensor = _tensors[spec.Name];
        if (Finiteness.FirstWrong(tensor) is { } place)
        {
            throw new InvalidDataException($"{Folder}: tensor {spec.Name}: value {place.Index} is {place.Value}");
        }

        return tensor;
    }

    /// <summary>Returns a copy of a parameter's values with memory of its own, in the type asked for.</summary>
    /// <exception cref="InvalidDataException">A value is infinite or none.</exception>
    public Tensor Copy(ParameterSpec spec, DType type)
    {
        Tensor copy = Tensor.Allocate(spec.Shape, type);
        Conversion.Copy(Mapped(spec), copy);
        return copy;
    }

    /// <summary>
    /// Fills a model's parameters with the stored values, widened or rounded to the type that each has.
    /// </summary>
    /// <exception cref="InvalidDataException">A value is infinite or none.</exception>
    /// <exception cref="ArgumentException">The parameters are not those of the checkpoint.</exception>
    public void Fill(IReadOnlyCollection<Parameter> parameters)
    {
        Dictionary<string, Parameter> byName = ByName(parameters);
        foreach (ParameterSpec spec in ModelFamily.Of(Config.Family).Parameters(Config))
        {
            if (!byName.TryGetValue(spec.Name, out Parameter? parameter))
            {
                throw new ArgumentException(
                    $"Checkpoint: {spec.Name} is not among the {parameters.Count} parameters to fill");
            }

            Conversion.Copy(Mapped(spec), parameter.Value);
            parameter.Changed();
        }
    }

    /// <inheritdoc/>
    public override (string? Begin, string? End) Markers(Tokenizer tokenizer) =>
        (Files.Tokenizer?.BosToken, Files.Tokenizer?.EosToken);

    /// <inheritdoc/>
    public override ByteLevelBpe ReadTokenizer() => Files.TokenizerJson is { } json
        ? ByteLevelBpe.Read(Path.Combine(Folder, CheckpointFiles.TokenizerName), json)
        : throw new FileNotFoundException($"{Folder}: has no tokenizer.json, without which no text goes in or out");

    /// <inheritdoc/>
    /// <remarks>Matrices stay in the mapped files until this is disposed.</remarks>
    public override Transformer Serve(DType? computeType = null, int? contextLength = null)
    {
        // Vectors are read in F32, and nothing computes in F16.
        ParameterSet parameters = new(Config, spec =>
            spec.Shape.Rank == 1 || DType is not (DType.F32 or DType.BF16) ? Copy(spec, DType.F32) : Mapped(spec));
        foreach (Parameter parameter in parameters.All)
        {
            parameter.Frozen = true;
        }

        TransformerConfig config =
            Config with { ContextLength = Math.Min(contextLength ?? Config.ContextLength, Config.ContextLength) };
        return new Transformer(config, parameters) { ComputeType = computeType ?? ServingType };
    }

    /// <summary>Ends the mapping of the files; what <see cref="Mapped"/> returned can't be used any more.</summary>
    public override void Dispose() => _shards.Dispose();

    private static string ConfigPath(string folder) => Path.Combine(folder, CheckpointFiles.ConfigName);

    private static ModelFamily Family(JsonFields fields)
    {
        string type = fields.String("model_type");
        string architecture = fields.Strings("architectures") is [string first, ..]
            ? $" (architecture {HostileText.Quote(first)})"
            : "";
        return ModelFamily.Find(type) ?? throw new InvalidDataException(
            $"{fields.Path}: model_type {HostileText.Quote(type)}{architecture} is not supported; "
            + $"{ModelFamily.Supported} are");
    }

    private static Dictionary<string, Parameter> ByName(IEnumerable<Parameter> parameters) =>
        parameters.ToDictionary(parameter => parameter.Name, StringComparer.Ordinal);

    private void FindTensors(ModelFamily family)
    {
        HashSet<string> unused = new(_shards.Names, StringComparer.Ordinal);
        foreach (ParameterSpec spec in family.Parameters(Config))
        {
            // Some checkpoints were saved without the head around the model, and their names without its prefix.
            string name = _shards.Contains(spec.Name) || !spec.Name.StartsWith(family.Prefix, StringComparison.Ordinal)
                ? spec.Name
                : spec.Name[family.Prefix.Length..];
            if (!_shards.TryGet(name, out Tensor? tensor))
            {
                throw new InvalidDataException(
                    $"{Folder}: tensor {spec.Name} of {spec.Shape} is missing among the {_shards.Names.Count} that "
                    + "there are");
            }

            if (tensor.Shape != spec.Shape || !tensor.DType.IsFloat())
            {
                throw new InvalidDataException(
                    $"{Folder}: tensor {name} is {tensor}; config.json wants floating-point numbers of {spec.Shape}");
            }

            unused.Remove(name);
            _tensors.Add(spec.Name, tensor);
        }

        unused.RemoveWhere(name => family.IsConstant(name) || (Config.TiedEmbeddings && name == ModelFamily.HeadName));
        if (unused.Count > 0)
        {
            string first = HostileText.Quote(unused.Order(StringComparer.Ordinal).First());
            throw new InvalidDataException(
                $"{Folder}: {unused.Count} tensors are not of config.json's model, first {first}");
        }
    }
}
