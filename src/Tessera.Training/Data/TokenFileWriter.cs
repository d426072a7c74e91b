using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Tessera.Training.Data;

/// <summary>Writes the folder that a <see cref="TokenFile"/> reads, as the tokens come.</summary>
internal sealed class TokenFileWriter : IDisposable
{
    private readonly string _folder;
    private readonly bool _narrow;
    private readonly FileStream _tokens;
    private readonly FileStream _documents;
    private readonly FileStream _replies;
    private byte[] _bytes = [];
    private int _replyBits;
    private int _replyBitCount;

    public TokenFileWriter(string folder, int vocabularySize)
    {
        _folder = folder;
        _narrow = TokenFile.IsNarrow(vocabularySize);
        _tokens = Create(TokenFile.TokensName);
        _documents = Create(TokenFile.DocumentsName);
        _replies = Create(TokenFile.RepliesName);
    }

    public long Tokens { get; private set; }

    public long Documents { get; private set; }

    public long Conversations { get; private set; }

    /// <summary>Begins a document; its tokens follow.</summary>
    public void BeginDocument(bool chat)
    {
        WriteStart(chat);
        Documents++;
        Conversations += chat ? 1 : 0;
    }

    /// <summary>Appends tokens to the document; for a text none is a reply.</summary>
    public void Append(ReadOnlySpan<int> ids, ReadOnlySpan<bool> replies)
    {
        int width = _narrow ? 2 : 4;
        if (_bytes.Length < ids.Length * width)
        {
            _bytes = new byte[Math.Max(ids.Length * width, 2 * _bytes.Length)];
        }

        for (int i = 0; i < ids.Length; i++)
        {
            if (_narrow)
            {
                BinaryPrimitives.WriteUInt16LittleEndian(_bytes.AsSpan(2 * i), checked((ushort)ids[i]));
            }
            else
            {
                BinaryPrimitives.WriteInt32LittleEndian(_bytes.AsSpan(4 * i), ids[i]);
            }

            WriteReply(!replies.IsEmpty && replies[i]);
        }

        _tokens.Write(_bytes, 0, ids.Length * width);
        Tokens += ids.Length;
    }

    /// <summary>Writes what remains and the facts, to the disk itself.</summary>
    public void Finish(TokenFileFacts facts)
    {
        WriteStart(chat: false);
        while (_replyBitCount > 0)
        {
            WriteReply(false);
        }

        foreach (FileStream stream in (ReadOnlySpan<FileStream>)[_tokens, _documents, _replies])
        {
            stream.Flush(flushToDisk: true);
            stream.Dispose();
        }

        if (Conversations == 0)
        {
            File.Delete(Path.Combine(_folder, TokenFile.RepliesName));
        }

        using FileStream factsFile = Create(TokenFile.FactsName);
        JsonSerializer.Serialize(factsFile, facts, DataJson.Options);
        factsFile.Flush(flushToDisk: true);
    }

    public void Dispose()
    {
        _tokens.Dispose();
        _documents.Dispose();
        _replies.Dispose();
    }

    private FileStream Create(string name) =>
        new(Path.Combine(_folder, name), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);

    private void WriteStart(bool chat)
    {
        long value = (Tokens << 1) | (chat ? 1L : 0);
        _documents.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<long>(in value)));
    }

    private void WriteReply(bool reply)
    {
        _replyBits |= (reply ? 1 : 0) << _replyBitCount++;
        if (_replyBitCount == 8)
        {
            _replies.WriteByte((byte)_replyBits);
            (_replyBits, _replyBitCount) = (0, 0);
        }
    }
}
