using System.Text.Json.Nodes;
using Tessera.Models.Checkpoints;
using Tessera.Models.Gguf;
using Tessera.Tensors.Files;

namespace Tessera.Models.Families;

/// <summary>
/// Ties a family of models to ours: what its checkpoints call each parameter, what its config.json says, and the
/// constants that its files don't state.
/// </summary>
public abstract class ModelFamily
{
    private static readonly ModelFamily[] _all = [new Gpt2(), new Llama(), new Qwen3()];

    /// <summary>Gets the name in config.json's <c>model_type</c>.</summary>
    public abstract string ModelType { get; }

    /// <summary>Gets the name in config.json's <c>architectures</c>.</summary>
    public abstract string Architecture { get; }

    /// <summary>Gets the families that are known.</summary>
    public static IReadOnlyList<ModelFamily> All => _all;

    /// <summary>
    /// Gets what the names of the parameters outside the head begin with; some checkpoints leave it out.
    /// </summary>
    internal abstract string Prefix { get; }

    /// <summary>Gets the name of the head's matrix.</summary>
    internal static string HeadName => "lm_head.weight";

    /// <summary>Returns the family with that <c>model_type</c>.</summary>
    /// <exception cref="NotSupportedException">There is none; the message lists those that there are.</exception>
    public static ModelFamily Of(string modelType) => Find(modelType) ?? throw new NotSupportedException(
        $"ModelFamily: {HostileText.Quote(modelType)} is not supported; {Supported} are");

    /// <summary>Returns the family with that <c>model_type</c>, or null.</summary>
    internal static ModelFamily? Find(string modelType) => Array.Find(_all, family => family.ModelType == modelType);

    /// <summary>Gets the families' names for a message.</summary>
    internal static string Supported => string.Join(", ", _all.Select(family => family.ModelType));

    /// <summary>
    /// Returns a model's parameters, in the order in which transformers keeps them, which decides the shards' cuts.
    /// </summary>
    public abstract IEnumerable<ParameterSpec> Parameters(TransformerConfig config);

    /// <summary>Reads the family's fields of a config.json.</summary>
    /// <exception cref="InvalidDataException">
    /// A field is absent, of the wrong type, or says what we don't compute.
    /// </exception>
    internal abstract TransformerConfig Read(JsonFields fields);

    /// <summary>Reads the family's keys of a GGUF file.</summary>
    /// <exception cref="InvalidDataException">
    /// A key is absent, of the wrong type, or says what we don't compute.
    /// </exception>
    internal abstract TransformerConfig Read(GgufFields fields);

    /// <summary>
    /// Gets whether GGUF files have the two entries of a rotary pair beside each other in queries' and keys' rows.
    /// </summary>
    internal abstract bool GgufInterleaves { get; }

    /// <summary>Returns the fields of a config.json that a configuration decides.</summary>
    internal abstract JsonObject Write(TransformerConfig config);

    /// <summary>Returns transformers' values for the fields that mean nothing to us, such as dropout.</summary>
    internal abstract JsonObject Defaults();

    /// <summary>
    /// Returns whether a tensor of that name is a constant that older checkpoints carry beside the parameters.
    /// </summary>
    internal virtual bool IsConstant(string name) => false;

    /// <summary>Requires that a field says what the family computes.</summary>
    internal static void Require(bool holds, JsonFields fields, string name, string wanted)
    {
        if (!holds)
        {
            throw fields.Wrong(name, wanted);
        }
    }

    /// <summary>Returns the ids of the tokens that end a text, as a GGUF file states them.</summary>
    internal static IReadOnlyList<int> EosIds(GgufMetadata metadata, int vocabulary) =>
    [
        .. ((string[])["eos", "eot", "eom"])
            .Select(name => metadata.OptionalInt($"tokenizer.ggml.{name}_token_id", 0, vocabulary - 1))
            .OfType<int>()
            .Distinct(),
    ];

    /// <summary>Returns the id of the token that begins a text, as a GGUF file states it.</summary>
    internal static int? BosId(GgufMetadata metadata, int vocabulary) =>
        metadata.OptionalInt("tokenizer.ggml.bos_token_id", 0, vocabulary - 1);

    /// <summary>Returns the ids as config.json has them: null, one number, or a list.</summary>
    internal static JsonNode? Ids(IReadOnlyList<int> ids) => ids.Count switch
    {
        0 => null,
        1 => ids[0],
        _ => new JsonArray([.. ids.Select(id => (JsonNode)id)]),
    };
}
