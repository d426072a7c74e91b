using Tessera.Inference.Sampling;
using Tessera.Models.Tokenizers;

namespace Tessera.Inference;

/// <summary>
/// Is a model that is ready to talk: the engine that runs it, its words, its chat form and its defaults.
/// </summary>
public sealed class ChatModel : IDisposable
{
    private readonly Func<IReadOnlyList<ChatTurn>, IReadOnlyList<TextSpan>>? _template;

    internal ChatModel(
        string name,
        Engine engine,
        Tokenizer tokenizer,
        Func<IReadOnlyList<ChatTurn>, IReadOnlyList<TextSpan>>? template)
    {
        (Name, Engine, Tokenizer, _template) = (name, engine, tokenizer, template);
    }

    /// <summary>Gets the model's name: that of its folder.</summary>
    public string Name { get; }

    /// <summary>Gets what writes the answers.</summary>
    public Engine Engine { get; }

    /// <summary>Gets what turns text into tokens and back.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>Gets how the model's makers want its tokens drawn.</summary>
    public SamplingOptions Sampling { get; init; } = new();

    /// <summary>Gets the tokens that end an answer.</summary>
    public IReadOnlyList<int> StopTokens { get; init; } = [];

    /// <summary>Gets when the model was made.</summary>
    public DateTimeOffset Created { get; init; } = DateTimeOffset.UnixEpoch;

    /// <summary>Returns the request that continues a conversation with the assistant's answer.</summary>
    /// <exception cref="InvalidOperationException">The model has no chat template.</exception>
    /// <exception cref="ArgumentException">The template refuses the conversation.</exception>
    public GenerationRequest Ask(IReadOnlyList<ChatTurn> conversation)
    {
        if (_template is null)
        {
            throw new InvalidOperationException(
                $"Chat: model {Name} has no chat template; use 'generate', or a model made for conversations");
        }

        return new GenerationRequest
        {
            Prompt = Tokenizer.Encode(_template(conversation)),
            Sampling = Sampling,
            StopTokens = StopTokens,
        };
    }

    /// <summary>Stops the engine and lets the weights go.</summary>
    public void Dispose() => Engine.Dispose();
}
