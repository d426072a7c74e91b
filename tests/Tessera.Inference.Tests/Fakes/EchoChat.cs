using Tessera.Models.ChatTemplates;

namespace Tessera.Inference.Tests.Fakes;

/// <summary>
/// Makes a model named echo that repeats its prompt up to the mark at its end, and so shows what was made of a
/// conversation: <c>role:content;</c> for each message. It goes round and round where a message says "endless", and is
/// unsure of each token where one says "flat".
/// </summary>
internal static class EchoChat
{
    public static ChatModel Create(int contextLength = 256, EngineOptions? options = null)
    {
        FakeTokenizer tokenizer = new();
        FakeModel model = new(tokenizer.VocabularySize, contextLength, Repeat);
        ChatTemplate template = ChatTemplate.Parse(
            "{% for m in messages %}{% if m.content == 'refused' %}{{ raise_exception('no') }}{% endif %}"
            + "{{ m.role }}:{{ m.content }};{% endfor %}!");
        Engine engine = new(model, tokenizer, options ?? new());
        return new ChatModel("echo", engine, tokenizer, () => template)
        {
            StopTokens = [FakeTokenizer.End],
        };
    }

    private static void Repeat(ReadOnlySpan<int> history, Span<float> logits)
    {
        int prompt = history.IndexOf('!') + 1;
        int next = history[(history.Length - prompt) % prompt];
        logits.Clear();
        logits[next == '!' && !Says(history, "endless") ? FakeTokenizer.End : next] = Says(history, "flat") ? 4 : 60;
    }

    private static bool Says(ReadOnlySpan<int> history, string word) =>
        history.IndexOf([.. word.Select(c => (int)c)]) >= 0;
}
