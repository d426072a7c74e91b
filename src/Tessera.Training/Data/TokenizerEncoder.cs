using System.Security.Cryptography;
using System.Text;
using Tessera.Models.ChatTemplates;
using Tessera.Models.Tokenizers;

namespace Tessera.Training.Data;

/// <summary>Encodes documents with a tokenizer of ours, and conversations in the form of ChatML.</summary>
public sealed class TokenizerEncoder : IDocumentEncoder
{
    /// <summary>The marker that stands between documents.</summary>
    public const string EndOfTextMarker = "<|endoftext|>";

    /// <summary>The marker that a message begins with.</summary>
    public const string StartMarker = "<|im_start|>";

    /// <summary>The marker that a message ends with.</summary>
    public const string EndMarker = "<|im_end|>";

    /// <summary>The Jinja template that renders what <see cref="EncodeChat"/> encodes, for the checkpoint.</summary>
    public const string ChatTemplate =
        "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n' }}"
        + "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

    private readonly ByteLevelBpe _tokenizer;

    /// <summary>Makes an encoder.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="endOfText">The control token that stands between documents.</param>
    /// <exception cref="InvalidDataException">The tokenizer has no such token.</exception>
    public TokenizerEncoder(ByteLevelBpe tokenizer, string endOfText = EndOfTextMarker)
    {
        _tokenizer = tokenizer;
        EndOfText = Id(endOfText);
        Fingerprint = Convert.ToHexStringLower(
            SHA256.HashData(Encoding.UTF8.GetBytes(tokenizer.ToJson(indented: false))));
    }

    /// <summary>Gets the tokenizer.</summary>
    public ByteLevelBpe Tokenizer => _tokenizer;

    /// <inheritdoc/>
    public string Fingerprint { get; }

    /// <inheritdoc/>
    public int VocabularySize => _tokenizer.VocabularySize;

    /// <inheritdoc/>
    public int EndOfText { get; }

    /// <inheritdoc/>
    public ReadOnlySpan<byte> TextOf(int id) => _tokenizer.IsSpecial(id) ? default : _tokenizer.TokenBytes(id);

    /// <inheritdoc/>
    public void Encode(ReadOnlySpan<byte> utf8, List<int> ids) => _tokenizer.Encode(utf8, ids);

    /// <inheritdoc/>
    /// <remarks>
    /// What the assistant says is encoded apart from the line before it, since that is where it goes on when it is
    /// asked; the other messages as one with theirs, since so they are read.
    /// </remarks>
    /// <exception cref="InvalidDataException">The tokenizer lacks a marker of ChatML.</exception>
    public void EncodeChat(IReadOnlyList<ChatTurn> turns, List<int> ids, List<bool> replies)
    {
        int start = Id(StartMarker), end = Id(EndMarker);
        foreach (ChatTurn turn in turns)
        {
            ids.Add(start);
            bool reply = turn.Role == "assistant";
            _tokenizer.Encode(reply ? "assistant\n" : $"{turn.Role}\n{turn.Content}", ids);
            Mark(ids, replies, reply: false);
            if (reply)
            {
                _tokenizer.Encode(turn.Content, ids);
            }

            ids.Add(end);
            Mark(ids, replies, reply);
            _tokenizer.Encode("\n", ids);
            Mark(ids, replies, reply: false);
        }
    }

    private static void Mark(List<int> ids, List<bool> replies, bool reply)
    {
        while (replies.Count < ids.Count)
        {
            replies.Add(reply);
        }
    }

    private int Id(string marker) => _tokenizer.TokenToId(marker) is { } id && _tokenizer.IsSpecial(id)
        ? id
        : throw new InvalidDataException($"tokenizer: has no control token {marker}, which the data needs");
}
