using Tessera.Models.Checkpoints;
using Tessera.Models.Families;
using Tessera.Models.Tokenizers;
using Tessera.Tensors;
using Tessera.Tensors.Files;

namespace Tessera.Models.Gguf;

/// <summary>
/// Reads a model from a GGUF file, as llama.cpp writes them, into the form that Hugging Face's checkpoints have: rotary
/// pairs in halves of a head, GPT-2's matrices by input. Weights are expanded to float32.
/// </summary>
public sealed class GgufModel : StoredModel
{
    private const string ArchitectureKey = "general.architecture";
    private const string EmbeddingName = "token_embd.weight";

    private readonly GgufFile _file;
    private readonly ModelFamily _family;

    private GgufModel(GgufFile file)
    {
        _file = file;
        string architecture = file.Metadata.Text(ArchitectureKey);
        _family = ModelFamily.Find(architecture) ?? throw new InvalidDataException(
            $"{file.Path}: {ArchitectureKey} {HostileText.Quote(architecture)} is not supported; "
            + $"{ModelFamily.Supported} are");
        try
        {
            Config = _family.Read(new GgufFields(file, architecture)).Validate();
        }
        catch (ArgumentException wrong)
        {
            throw new InvalidDataException($"{file.Path}: {wrong.Message}", wrong);
        }

        CheckTensors();
    }

    /// <inheritdoc/>
    public override string Location => _file.Path;

    /// <inheritdoc/>
    public override TransformerConfig Config { get; }

    /// <inheritdoc/>
    public override GenerationConfig Generation => GenerationConfig.Of(Config);

    /// <inheritdoc/>
    public override DType DType => _file[EmbeddingName].DType;

    /// <inheritdoc/>
    public override DType ServingType => DType.F32;

    /// <inheritdoc/>
    public override long ParameterCount => _file.Names.Sum(name => _file[name].Shape.Count);

    /// <inheritdoc/>
    public override long FileBytes => new FileInfo(Location).Length;

    /// <inheritdoc/>
    public override DateTimeOffset Written => File.GetLastWriteTimeUtc(Location);

    /// <inheritdoc/>
    public override double UnpackedBytes => (double)ParameterCount * sizeof(float);

    /// <inheritdoc/>
    public override bool HasTokenizer => _file.Metadata.Contains(GgufTokenizer.TokensKey);

    /// <inheritdoc/>
    public override string? ChatTemplate => _file.Metadata.OptionalText("tokenizer.chat_template");

    /// <inheritdoc/>
    public override bool BeginsTexts => _file.Metadata.OptionalBool("tokenizer.ggml.add_bos_token") ?? false;

    /// <summary>Opens a file and checks that its tensors are those that its keys describe.</summary>
    /// <exception cref="InvalidDataException">
    /// The file is broken, its architecture unknown, or a tensor is missing, unexpected or of other sizes; the message
    /// names file, key or tensor, and value.
    /// </exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static new GgufModel Open(string path)
    {
        GgufFile file = GgufFile.Open(path);
        try
        {
            return new GgufModel(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Returns a copy of a parameter's values in float32, with memory of its own.</summary>
    /// <exception cref="InvalidDataException">A value is infinite or none.</exception>
    public Tensor Copy(ParameterSpec spec)
    {
        Tensor stored = _file[GgufNames.Of(spec)];
        Tensor values = Tensor.Allocate(stored.Shape, DType.F32);
        Conversion.Copy(stored, values);
        if (Finiteness.FirstWrong(values) is { } place)
        {
            throw new InvalidDataException(
                $"{_file.Path}: tensor {GgufNames.Of(spec)}: value {place.Index} is {place.Value}");
        }

        return spec.InputMajor ? Transposed(values)
            : _family.GgufInterleaves && Heads(spec.Kind) is { } heads ? InHalves(values, heads)
            : values;
    }

    /// <inheritdoc/>
    public override (string? Begin, string? End) Markers(Tokenizer tokenizer)
    {
        return (Text(Config.BosId), Config.EosIds is [int end, ..] ? Text(end) : null);

        string? Text(int? id) => id is { } known ? tokenizer.IdToToken(known) : null;
    }

    /// <inheritdoc/>
    /// <remarks>A byte that no token stands for is left out of a text.</remarks>
    public override ByteLevelBpe ReadTokenizer() => HasTokenizer
        ? GgufTokenizer.Read(_file)
        : throw new FileNotFoundException(
            $"{Location}: has no {GgufTokenizer.TokensKey}, without which no text goes in or out");

    /// <inheritdoc/>
    /// <remarks>Weights are copied, expanded to float32.</remarks>
    public override Transformer Serve(DType? computeType = null, int? contextLength = null)
    {
        ParameterSet parameters = new(Config, Copy);
        foreach (Parameter parameter in parameters.All)
        {
            parameter.Frozen = true;
        }

        int context = Math.Min(contextLength ?? Config.ContextLength, Config.ContextLength);
        return new Transformer(Config with { ContextLength = context }, parameters)
        {
            ComputeType = computeType ?? ServingType,
        };
    }

    /// <inheritdoc/>
    public override void Dispose() => _file.Dispose();

    private void CheckTensors()
    {
        HashSet<string> unused = new(_file.Names, StringComparer.Ordinal);
        foreach (ParameterSpec spec in _family.Parameters(Config))
        {
            string name = GgufNames.Of(spec);
            Shape wanted = spec.InputMajor ? new Shape(spec.Shape[1], spec.Shape[0]) : spec.Shape;
            if (!_file.TryGet(name, out Tensor? tensor))
            {
                throw new InvalidDataException(
                    $"{_file.Path}: tensor {name} of {wanted} is missing among the {_file.Names.Count} that there are");
            }

            if (tensor.Shape != wanted || !(tensor.DType.IsFloat() || tensor.DType.IsBlocks()))
            {
                throw new InvalidDataException(
                    $"{_file.Path}: tensor {name} is {tensor}; the file's keys want numbers of {wanted}");
            }

            unused.Remove(name);
        }

        if (unused.Count > 0)
        {
            string first = HostileText.Quote(unused.Order(StringComparer.Ordinal).First());
            throw new InvalidDataException(
                $"{_file.Path}: {unused.Count} tensors are not of the model that its keys describe, first {first}");
        }
    }

    private int? Heads(ParameterKind kind) => kind switch
    {
        ParameterKind.Query or ParameterKind.QueryBias => Config.Heads,
        ParameterKind.Key or ParameterKind.KeyBias => Config.KeyHeads,
        _ => null,
    };

    // The file has the two entries of a rotary pair beside each other, as llama.cpp turns them there; we have all first
    // entries of a head before all second ones, as transformers.
    private Tensor InHalves(Tensor stored, int heads)
    {
        int D = Config.HeadSize, half = Config.Rotary!.Dimensions / 2;
        int width = (int)(stored.Shape.Count / stored.Shape[0]);
        Tensor ordered = Tensor.Allocate(stored.Shape, DType.F32);
        Span<float> from = stored.Span<float>(), to = ordered.Span<float>();
        for (int row = 0; row < heads * D; row++)
        {
            int i = row % D;
            int source = i < half ? 2 * i : i < 2 * half ? (2 * (i - half)) + 1 : i;
            from.Slice((row - i + source) * width, width).CopyTo(to[(row * width)..]);
        }

        GC.KeepAlive(stored);
        return ordered;
    }

    private static Tensor Transposed(Tensor stored)
    {
        int rows = stored.Shape[0], columns = stored.Shape[1];
        Tensor turned = Tensor.Allocate(new Shape(columns, rows), DType.F32);
        Span<float> from = stored.Span<float>(), to = turned.Span<float>();
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                to[(column * rows) + row] = from[(row * columns) + column];
            }
        }

        GC.KeepAlive(stored);
        return turned;
    }
}
