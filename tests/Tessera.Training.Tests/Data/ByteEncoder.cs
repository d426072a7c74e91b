using System.Text;
using Tessera.Models.ChatTemplates;
using Tessera.Training.Data;

namespace Tessera.Training.Tests.Data;

/// <summary>A tokenizer whose ids are the bytes: enough to see what the data does.</summary>
internal sealed class ByteEncoder(int vocabularySize = 259) : IDocumentEncoder
{
    private static readonly byte[] _all = [.. Enumerable.Range(0, 256).Select(b => (byte)b)];

    public const int Start = 257;
    public const int End = 258;

    public string Fingerprint => "bytes";

    public int VocabularySize => vocabularySize;

    public int EndOfText => 256;

    public ReadOnlySpan<byte> TextOf(int id) => id < 256 ? _all.AsSpan(id, 1) : default;

    public int Calls { get; private set; }

    public void Encode(ReadOnlySpan<byte> utf8, List<int> ids)
    {
        Calls++;
        foreach (byte value in utf8)
        {
            ids.Add(value);
        }
    }

    public void EncodeChat(IReadOnlyList<ChatTurn> turns, List<int> ids, List<bool> replies)
    {
        foreach (ChatTurn turn in turns)
        {
            bool reply = turn.Role == "assistant";
            Add([Start, .. Bytes(turn.Role + "\n")], false);
            Add([.. Bytes(turn.Content), End], reply);
            Add(Bytes("\n"), false);
        }

        void Add(int[] more, bool reply)
        {
            ids.AddRange(more);
            replies.AddRange(Enumerable.Repeat(reply, more.Length));
        }
    }

    private static int[] Bytes(string text) => [.. Encoding.UTF8.GetBytes(text).Select(b => (int)b)];
}
