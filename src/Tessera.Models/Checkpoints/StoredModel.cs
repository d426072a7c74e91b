using Tessera.Models.Gguf;
using Tessera.Models.Tokenizers;
using Tessera.Tensors;

namespace Tessera.Models.Checkpoints;

/// <summary>
/// Is a model as it lies on disk, in whichever form: what it is, how it wants to be used, and its weights on demand.
/// </summary>
public abstract class StoredModel : IDisposable
{
    /// <summary>Gets the folder or file.</summary>
    public abstract string Location { get; }

    /// <summary>Gets the model's configuration.</summary>
    public abstract TransformerConfig Config { get; }

    /// <summary>
    /// Gets how answers are made: what the model's makers say, or what follows from its configuration.
    /// </summary>
    public abstract GenerationConfig Generation { get; }

    /// <summary>Gets the type of the stored values: that of the token embedding.</summary>
    public abstract DType DType { get; }

    /// <summary>Gets what a served model computes in.</summary>
    public abstract DType ServingType { get; }

    /// <summary>Gets the number of stored values.</summary>
    public abstract long ParameterCount { get; }

    /// <summary>Gets the bytes of the files with the weights.</summary>
    public abstract long FileBytes { get; }

    /// <summary>Gets when the files were written.</summary>
    public abstract DateTimeOffset Written { get; }

    /// <summary>Gets what the model takes in memory while it is served, beside its packed matrices; in bytes.</summary>
    public virtual double UnpackedBytes => 0;

    /// <summary>Gets whether a tokenizer is stored with the model.</summary>
    public abstract bool HasTokenizer { get; }

    /// <summary>Gets the chat template, in Jinja; null where there is none.</summary>
    /// <exception cref="InvalidDataException">It is no text.</exception>
    public abstract string? ChatTemplate { get; }

    /// <summary>Gets whether every text begins with the token that begins one.</summary>
    /// <exception cref="InvalidDataException">The file says neither yes nor no.</exception>
    public abstract bool BeginsTexts { get; }

    /// <summary>Opens a folder in Hugging Face's form, or a GGUF file.</summary>
    /// <inheritdoc cref="Checkpoint.Load"/>
    public static StoredModel Open(string path) => File.Exists(path) ? GgufModel.Open(path) : Checkpoint.Load(path);

    /// <summary>Returns the texts of the tokens that begin and end a text, as chat templates are given them.</summary>
    /// <param name="tokenizer">The model's tokenizer.</param>
    public abstract (string? Begin, string? End) Markers(Tokenizer tokenizer);

    /// <summary>Reads the tokenizer.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="InvalidDataException">It is broken; the message names file, field and value.</exception>
    public abstract ByteLevelBpe ReadTokenizer();

    /// <summary>Makes the model to serve it; nothing is trained. This must live as long as the model.</summary>
    /// <param name="computeType">What matrix products are computed in; null: <see cref="ServingType"/>.</param>
    /// <param name="contextLength">How many positions are wanted, where that is less than the model was made for: its
    /// tables grow with them.</param>
    /// <exception cref="InvalidDataException">A value is infinite or none.</exception>
    public abstract Transformer Serve(DType? computeType = null, int? contextLength = null);

    /// <summary>Closes the files; what lies over them can't be used any more.</summary>
    public abstract void Dispose();
}
