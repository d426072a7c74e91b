using Tessera.Inference.Sampling;
using Tessera.Models;
using Tessera.Models.ChatTemplates;
using Tessera.Models.Checkpoints;
using Tessera.Models.Tokenizers;
using Tessera.Tensors.Memory;

namespace Tessera.Inference;

/// <summary>
/// Is a model that is ready to talk: the engine that runs it, its words, its chat form and its defaults.
/// </summary>
public sealed class ChatModel : IDisposable
{
    private readonly Lazy<ChatTemplate?> _template;
    private StoredModel? _stored;

    /// <summary>Loads a model from a folder in Hugging Face's form, or from a GGUF file.</summary>
    /// <param name="path">The folder or file.</param>
    /// <param name="options">How much is done at once.</param>
    /// <exception cref="FileNotFoundException">There is no model in the folder, or it has no tokenizer.</exception>
    /// <exception cref="InvalidDataException">A file is broken; the message names file, field and value.</exception>
    /// <exception cref="InsufficientMemoryException">There is no memory for the model and its cache.</exception>
    public static ChatModel Load(string path, EngineOptions? options = null)
    {
        StoredModel stored = StoredModel.Open(path);
        try
        {
            return Load(stored, options ?? new EngineOptions());
        }
        catch
        {
            stored.Dispose();
            throw;
        }
    }

    internal ChatModel(string name, Engine engine, Tokenizer tokenizer, Func<ChatTemplate?> template)
    {
        // A template that can't be read keeps nobody from continuing a text.
        (Name, Engine, Tokenizer, _template) = (name, engine, tokenizer, new Lazy<ChatTemplate?>(template));
    }

    /// <summary>Gets the model's name: that of its folder, or of its file.</summary>
    public string Name { get; }

    /// <summary>Gets what writes the answers.</summary>
    public Engine Engine { get; }

    /// <summary>Gets what turns text into tokens and back.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>Gets how the model's makers want its tokens drawn.</summary>
    public SamplingOptions Sampling { get; init; } = new();

    /// <summary>Gets the tokens that end an answer.</summary>
    public IReadOnlyList<int> StopTokens { get; init; } = [];

    /// <summary>Gets the token that begins a text; null where there is none.</summary>
    public int? BeginToken { get; init; }

    /// <summary>Gets whether every text begins with that token.</summary>
    public bool BeginsTexts { get; init; }

    /// <summary>Gets how conversations are written for the model; null where it was not made for any.</summary>
    /// <exception cref="ChatTemplateException">The template is broken or has what is not supported.</exception>
    public ChatTemplate? Template => _template.Value;

    /// <summary>Gets when the model was made.</summary>
    public DateTimeOffset Created { get; init; } = DateTimeOffset.UnixEpoch;

    /// <summary>Returns the request that continues a text as it stands; markers in it stay text.</summary>
    /// <exception cref="ArgumentException">The text is empty, and no token begins one.</exception>
    public GenerationRequest Continue(string text)
    {
        int[] tokens = Tokenizer.Encode(text);
        if (BeginToken is { } begin && (BeginsTexts || tokens.Length == 0))
        {
            tokens = [begin, .. tokens];
        }

        return tokens.Length > 0
            ? new GenerationRequest { Prompt = tokens, Sampling = Sampling, StopTokens = StopTokens }
            : throw new ArgumentException(
                $"Generate: the text is empty, and model {Name} has no token that begins one");
    }

    /// <summary>Returns the request that continues a conversation with the assistant's answer.</summary>
    /// <exception cref="InvalidOperationException">The model has no chat template.</exception>
    /// <exception cref="ChatTemplateException">The template is broken, or refuses the conversation.</exception>
    public GenerationRequest Ask(IReadOnlyList<ChatTurn> conversation)
    {
        ChatTemplate template = Template ?? throw new InvalidOperationException(
            $"Chat: model {Name} has no chat template; take a model that was made for conversations");
        return new GenerationRequest
        {
            Prompt = Tokenizer.Encode(template.Render(conversation).Spans),
            Sampling = Sampling,
            StopTokens = StopTokens,
        };
    }

    /// <summary>Stops the engine and lets the weights go.</summary>
    public void Dispose()
    {
        Engine.Dispose();
        _stored?.Dispose();
    }

    private static ChatModel Load(StoredModel stored, EngineOptions options)
    {
        string path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(stored.Location));
        string name = File.Exists(path) ? Path.GetFileNameWithoutExtension(path) : Path.GetFileName(path);
        ServingMemory memory = ServingMemory.Of(stored.Config, stored.ServingType, options);
        (memory with { Weights = memory.Weights + stored.UnpackedBytes }).Require(name, AvailableMemory.Bytes());
        (Transformer model, ByteLevelBpe tokenizer) = Read(stored, options);
        RequireKnownTokens(stored, tokenizer);

        ChatTemplate? Template()
        {
            (string? begin, string? end) = stored.Markers(tokenizer);
            return stored.ChatTemplate is { } source
                ? ChatTemplate.Parse(source, $"{stored.Location}: chat template", begin, end)
                : null;
        }

        return new ChatModel(name, new Engine(model, tokenizer, options), tokenizer, Template)
        {
            Created = stored.Written,
            Sampling = ToSampling(stored.Generation),
            StopTokens = stored.Generation.EosIds,
            BeginToken = stored.Generation.BosId,
            BeginsTexts = stored.BeginsTexts,
            _stored = stored,
        };
    }

    /// <summary>Reads weights and tokenizer at the same time: both take a while, and neither needs the other.</summary>
    private static (Transformer Model, ByteLevelBpe Tokenizer) Read(
        StoredModel stored, EngineOptions options)
    {
        if (!stored.HasTokenizer)
        {
            // Said at once, and not behind minutes of reading weights.
            stored.ReadTokenizer();
        }

        Task<ByteLevelBpe> reading = Task.Run(stored.ReadTokenizer);
        Transformer model;
        try
        {
            model = stored.Serve(contextLength: options.ContextLength);
        }
        catch (Exception weights)
        {
            // The other's error is told too: whoever mends the weights should not find a broken tokenizer after that.
            Task.WaitAny(reading);
            if (reading.Exception?.InnerException is { } words && weights is InvalidDataException)
            {
                throw new InvalidDataException(
                    $"{weights.Message}; {words.Message}", new AggregateException(weights, words));
            }

            throw;
        }

        return (model, reading.GetAwaiter().GetResult());
    }

    private static void RequireKnownTokens(StoredModel stored, ByteLevelBpe tokenizer)
    {
        int vocabulary = stored.Config.VocabularySize;
        if (tokenizer.VocabularySize > vocabulary)
        {
            throw new InvalidDataException(
                $"{stored.Location}: the tokenizer has tokens up to {tokenizer.VocabularySize - 1}; the model knows "
                + $"{vocabulary}");
        }

        if (stored.Generation.BosId is { } begin && begin >= vocabulary)
        {
            throw new InvalidDataException(
                $"{stored.Location}: bos_token_id is {begin}; the model knows {vocabulary} tokens");
        }
    }

    private static SamplingOptions ToSampling(GenerationConfig config)
    {
        SamplingOptions usual = new();
        return config.Sample is false ? SamplingOptions.Greedy : usual with
        {
            Temperature = config.Temperature ?? usual.Temperature,
            TopK = config.TopK is 0 ? null : config.TopK,
            TopP = config.TopP ?? usual.TopP,
            MinP = config.MinP ?? usual.MinP,
            RepetitionPenalty = config.RepetitionPenalty is > 0 and { } penalty ? penalty : usual.RepetitionPenalty,
        };
    }
}
