using System.Text.Encodings.Web;
using System.Text.Json;
using Tessera.Inference;
using Tessera.Models.ChatTemplates;
using Tessera.Tensors.Files;

namespace Tessera.Cli.Chat;

/// <summary>Is a conversation with a model: what was said, and how the next answer is asked for.</summary>
internal sealed class ChatSession(ChatModel model, GenerationRequest asked)
{
    private readonly List<ChatTurn> _turns = [];
    private ChatTurn? _taken;
    private int _answers;

    /// <summary>Gets or sets what the model is told before the conversation; null tells it nothing.</summary>
    public string? System { get; set; }

    /// <summary>Gets what was said, without the system's message.</summary>
    public IReadOnlyList<ChatTurn> Turns => _turns;

    /// <summary>Adds a question.</summary>
    public void Ask(string question) => _turns.Add(new ChatTurn("user", question));

    /// <summary>
    /// Adds an answer. One that has no text brings back what it was to replace, or takes its question away.
    /// </summary>
    public void Answer(string answer)
    {
        if (answer.Length > 0 || _taken is not null)
        {
            _turns.Add(answer.Length > 0 ? new ChatTurn("assistant", answer) : _taken!);
        }
        else
        {
            _turns.RemoveAt(_turns.Count - 1);
        }

        _taken = null;
    }

    /// <summary>Takes the last answer away, so that it can be given anew; returns whether there is one.</summary>
    public bool TakeAnswer()
    {
        if (_turns.Count == 0)
        {
            return false;
        }

        _taken = _turns[^1];
        _turns.RemoveAt(_turns.Count - 1);
        return true;
    }

    /// <summary>Takes the last question and its answer away; returns whether there was one.</summary>
    public bool Undo()
    {
        int last = _turns.FindLastIndex(turn => turn.Role == "user");
        if (last < 0)
        {
            return false;
        }

        _turns.RemoveRange(last, _turns.Count - last);
        return true;
    }

    /// <summary>Forgets what was said.</summary>
    public void Clear() => _turns.Clear();

    /// <summary>
    /// Begins the answer to the last question; the oldest exchanges are forgotten where the context is full.
    /// </summary>
    /// <param name="forgotten">How many turns were forgotten.</param>
    /// <exception cref="ContextLengthException">
    /// The last question alone fills the context; nothing was forgotten.
    /// </exception>
    public Generation Begin(out int forgotten)
    {
        // An answer needs room: a quarter of the context, or as much as it may have.
        int room = Math.Min(asked.MaxTokens ?? int.MaxValue, model.Engine.ContextLength / 4);
        forgotten = 0;
        GenerationRequest request = Request(forgotten);
        while (request.Prompt.Count + room > model.Engine.ContextLength && QuestionAfter(forgotten) is { } next)
        {
            forgotten = next;
            request = Request(forgotten);
        }

        Generation generation = model.Engine.Generate(request);

        // Each answer of a session has draws of its own, so that one given anew differs.
        _answers++;
        _turns.RemoveRange(0, forgotten);
        return generation;
    }

    /// <summary>Writes the conversation as one line of JSON, in the form that fine-tuning reads.</summary>
    public void Save(string path) => AtomicFile.Write(path, stream =>
    {
        using Utf8JsonWriter json = new(stream, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        json.WriteString("model", model.Name);
        json.WriteStartArray("messages");
        foreach (ChatTurn turn in WithSystem(_turns))
        {
            json.WriteStartObject();
            json.WriteString("role", turn.Role);
            json.WriteString("content", turn.Content);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        stream.WriteByte((byte)'\n');
    });

    /// <summary>Reads a conversation in the place of this one.</summary>
    /// <exception cref="InvalidDataException">The file holds something else; this conversation stays.</exception>
    public void Load(string path)
    {
        List<ChatTurn> turns;
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            turns = [.. document.RootElement.GetProperty("messages").EnumerateArray().Select(
                message => new ChatTurn(Text(message, "role"), Text(message, "content")))];
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new InvalidDataException(
                $"{path} holds no conversation ({error.Message}); wanted what /save writes", error);
        }

        string? system = turns is [{ Role: "system" }, ..] ? turns[0].Content : null;
        turns.RemoveRange(0, system is null ? 0 : 1);
        bool alternate = turns.Index().All(turn => turn.Item.Role == (turn.Index % 2 == 0 ? "user" : "assistant"));
        if (turns.Count % 2 != 0 || !alternate)
        {
            throw new InvalidDataException(
                $"{path}: after a system message there must be questions, each with its answer");
        }

        System = system;
        _turns.Clear();
        _turns.AddRange(turns);
    }

    private static string Text(JsonElement message, string field) => message.GetProperty(field).GetString()
        ?? throw new InvalidOperationException($"a message's {field} is null");

    private IEnumerable<ChatTurn> WithSystem(IEnumerable<ChatTurn> turns) =>
        System is null ? turns : turns.Prepend(new ChatTurn("system", System));

    private GenerationRequest Request(int forgotten) => model.Ask([.. WithSystem(_turns.Skip(forgotten))]) with
    {
        Sampling = asked.Sampling,
        MaxTokens = asked.MaxTokens,
        Answer = _answers,
    };

    private int? QuestionAfter(int turn)
    {
        int next = turn + 1 < _turns.Count ? _turns.FindIndex(turn + 1, later => later.Role == "user") : -1;
        return next > 0 ? next : null;
    }
}
