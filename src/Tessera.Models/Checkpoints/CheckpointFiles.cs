using System.Text;
using System.Text.Json.Nodes;
using Tessera.Models.Families;
using Tessera.Models.Tokenizers;
using Tessera.Tensors;
using Tessera.Tensors.Files;

namespace Tessera.Models.Checkpoints;

/// <summary>Holds the small files of a checkpoint, beside its configuration and its tensors.</summary>
public sealed record CheckpointFiles
{
    /// <summary>The version of transformers whose form is written.</summary>
    public const string TransformersVersion = "5.17.0";

    internal const string ConfigName = "config.json";
    private const string GenerationName = "generation_config.json";
    internal const string TokenizerName = "tokenizer.json";
    private const string TokenizerConfigName = "tokenizer_config.json";
    private const string ChatTemplateName = "chat_template.jinja";

    // Templates have some tens of kilobytes.
    private const int MaximumTemplateBytes = 4 << 20;

    // What older versions of transformers wrote under other names.
    private static readonly string[] _former = ["torch_dtype", "rope_theta", "rope_scaling", "partial_rotary_factor"];

    /// <summary>Gets how answers are made; null takes what the model's configuration says.</summary>
    public GenerationConfig? Generation { get; init; }

    /// <summary>Gets the tokenizer's settings; null where the checkpoint has none.</summary>
    public TokenizerSettings? Tokenizer { get; init; }

    /// <summary>Gets the content of tokenizer.json; null where the checkpoint has none.</summary>
    public ReadOnlyMemory<byte>? TokenizerJson { get; init; }

    /// <summary>Gets the chat template, in Jinja; null where the checkpoint has none.</summary>
    public string? ChatTemplate { get; init; }

    /// <summary>
    /// Gets config.json as it was read, so that the fields that mean nothing to us are written again.
    /// </summary>
    internal JsonObject? Config { get; init; }

    /// <summary>Reads what there is of them in a folder.</summary>
    /// <exception cref="InvalidDataException">A file is broken; the message names file, field and value.</exception>
    internal static CheckpointFiles Read(string folder, JsonFields config)
    {
        JsonFields? generation = Fields(folder, GenerationName);
        JsonFields? tokenizer = Fields(folder, TokenizerConfigName, ByteLevelBpe.LargestFile);
        byte[]? template = Bytes(folder, ChatTemplateName, MaximumTemplateBytes);
        return new CheckpointFiles
        {
            Config = JsonObject.Create(config.Element),
            Generation = generation is null ? null : GenerationConfig.Read(generation),
            Tokenizer = tokenizer is null ? null : TokenizerSettings.Read(tokenizer),
            TokenizerJson = Bytes(folder, TokenizerName, ByteLevelBpe.LargestFile),
            ChatTemplate = template is not null ? Text(Path.Combine(folder, ChatTemplateName), template)
                : tokenizer is not null ? TokenizerSettings.ChatTemplate(tokenizer)
                : null,
        };
    }

    /// <summary>Writes them, and config.json, as transformers does.</summary>
    internal void Write(string folder, TransformerConfig config, DType type)
    {
        Write(folder, ConfigName, SortedJson.Write(ConfigFields(config, type)));
        Write(folder, GenerationName, SortedJson.Write((Generation ?? GenerationConfig.Of(config)).Write()));
        if (Tokenizer is not null)
        {
            Write(folder, TokenizerConfigName, SortedJson.Write(Tokenizer.Write(), ascii: false));
        }

        if (TokenizerJson is { } bytes)
        {
            AtomicFile.Write(Path.Combine(folder, TokenizerName), bytes);
        }

        if (ChatTemplate is not null)
        {
            Write(folder, ChatTemplateName, ChatTemplate);
        }
    }

    /// <summary>Returns whether a checkpoint has a file of that name, or may have.</summary>
    internal static bool IsKnown(string name) =>
        name is ConfigName or GenerationName or TokenizerName or TokenizerConfigName or ChatTemplateName
            or SafetensorsShards.IndexName
        || name.EndsWith(".safetensors", StringComparison.Ordinal);

    private JsonObject ConfigFields(TransformerConfig config, DType type)
    {
        ModelFamily family = ModelFamily.Of(config.Family);
        JsonObject fields = family.Defaults();
        if (Config is not null && (string?)Config["model_type"] == family.ModelType)
        {
            Overlay(fields, Config);
        }

        Overlay(fields, family.Write(config));
        foreach (string name in _former)
        {
            fields.Remove(name);
        }

        RequireSame(config, family.Read(JsonFields.Of(ConfigName, fields)));
        fields["architectures"] = new JsonArray(family.Architecture);
        fields["dtype"] = TypeName(type);
        fields["model_type"] = family.ModelType;
        fields["transformers_version"] = TransformersVersion;
        return fields;
    }

    // A family fixes many choices, which its config.json doesn't state; another choice would be lost.
    private static void RequireSame(TransformerConfig config, TransformerConfig read)
    {
        if (config with { EosIds = read.EosIds } != read || !config.EosIds.SequenceEqual(read.EosIds))
        {
            throw new ArgumentException(
                $"Checkpoint: {ConfigName} of family {config.Family} can't state {config}: it would be read as {read}");
        }
    }

    private static void Overlay(JsonObject fields, JsonObject over)
    {
        foreach ((string name, JsonNode? value) in over)
        {
            fields[name] = value?.DeepClone();
        }
    }

    private static string TypeName(DType type) => type switch
    {
        DType.F64 => "float64",
        DType.F32 => "float32",
        DType.F16 => "float16",
        DType.BF16 => "bfloat16",
        _ => throw new ArgumentException($"Checkpoint: weights can't be stored as {type}"),
    };

    private static void Write(string folder, string name, string text) =>
        AtomicFile.Write(Path.Combine(folder, name), text);

    private static JsonFields? Fields(string folder, string name, int limit = 1 << 20)
    {
        string path = Path.Combine(folder, name);
        return File.Exists(path) ? JsonFields.Read(path, limit) : null;
    }

    private static byte[]? Bytes(string folder, string name, int limit)
    {
        string path = Path.Combine(folder, name);
        return File.Exists(path) ? BoundedFile.Read(path, limit) : null;
    }

    private static string Text(string path, byte[] bytes)
    {
        try
        {
            return new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetString(bytes);
        }
        catch (DecoderFallbackException broken)
        {
            throw new InvalidDataException($"{path}: byte {broken.Index} is not UTF-8", broken);
        }
    }
}
