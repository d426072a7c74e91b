using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Tessera.Models.ChatTemplates;

namespace Tessera.Training.Data;

/// <summary>
/// Tokenises each file of data once. What was made from the same content with the same tokenizer is found again by the
/// SHA-256 of both, wherever the file lies.
/// </summary>
/// <param name="folder">The cache's folder; it may be deleted at any time that no run uses it.</param>
public sealed class TokenCache(string folder)
{
    /// <summary>Gets the folder that caches are kept in where nothing else is said.</summary>
    public static string DefaultFolder => Path.Combine(
        Environment.GetFolderPath(
            Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify),
        "tessera",
        "tokens");

    /// <summary>Opens the tokens of a file, which are made first where they aren't there.</summary>
    /// <param name="path">The file.</param>
    /// <param name="slice">The part of it that is wanted.</param>
    /// <param name="encoder">The tokenizer.</param>
    /// <param name="badLines">Counts the lines that were skipped, now or when the tokens were made.</param>
    /// <param name="progress">Hears the bytes of text that have been encoded; null where nobody asks.</param>
    /// <param name="cancellation">Stops the work; nothing is left behind.</param>
    /// <exception cref="InvalidDataException">The file is broken, or there are too many bad lines.</exception>
    /// <exception cref="IOException">The file can't be read or the cache can't be written.</exception>
    /// <exception cref="UnauthorizedAccessException">There is no permission for either.</exception>
    public TokenFile Open(
        string path,
        DocumentSlice slice,
        IDocumentEncoder encoder,
        BadLines badLines,
        IProgress<long>? progress = null,
        CancellationToken cancellation = default)
    {
        (long bytes, string hash) = Hash(path);
        TokenFileFacts facts = new()
        {
            FormatVersion = TokenFile.FormatVersion,
            Path = path,
            Slice = slice.ToString(),
            Bytes = bytes,
            Sha256 = hash,
            Tokenizer = encoder.Fingerprint,
            VocabularySize = encoder.VocabularySize,
        };
        string target = Path.Combine(folder, Key(facts));
        if (!Directory.Exists(target))
        {
            RequireFolder();
            Make(target, path, slice, encoder, facts, badLines, progress, cancellation);
            return TokenFile.Open(target);
        }

        TokenFile file = TokenFile.Open(target);
        try
        {
            badLines.Add(path, file.Facts.BadLines, file.Facts.FirstBadLines);
        }
        catch
        {
            file.Dispose();
            throw;
        }

        return file;
    }

    private void RequireFolder()
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new UnauthorizedAccessException(
                $"token cache {folder}: could not be made: no permission ({e.Message}); name another folder with the "
                + "recipe's data.cache, or in XDG_DATA_HOME",
                e);
        }
    }

    private static (long Bytes, string Hash) Hash(string path)
    {
        using FileStream stream =
            new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.SequentialScan);
        return (stream.Length, Convert.ToHexStringLower(SHA256.HashData(stream)));
    }

    private static string Key(TokenFileFacts facts)
    {
        // The kind of file is in the key: the same bytes mean something else as lines of JSON and as text.
        string kind = DocumentReader.IsJson(facts.Path) ? "jsonl" : "text";
        string all =
            $"{facts.FormatVersion}\n{facts.Sha256}\n{kind}\n{facts.Slice}\n{facts.Tokenizer}\n{facts.VocabularySize}";
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(all)));
    }

    private static void Make(
        string target,
        string path,
        DocumentSlice slice,
        IDocumentEncoder encoder,
        TokenFileFacts facts,
        BadLines badLines,
        IProgress<long>? progress,
        CancellationToken cancellation)
    {
        string unfinished = $"{target}.{Environment.ProcessId}.unfinished";
        try
        {
            if (Directory.Exists(unfinished))
            {
                Directory.Delete(unfinished, recursive: true);
            }

            Directory.CreateDirectory(unfinished);
            using (TokenFileWriter writer = new(unfinished, encoder.VocabularySize))
            {
                Tokenisation work = new(path, encoder, writer, progress);
                BadLines own = badLines.OfFile();
                foreach (Document document in DocumentReader.Read(path, slice, own))
                {
                    cancellation.ThrowIfCancellationRequested();
                    work.Add(document);
                }

                writer.Finish(work.Facts(facts, own));
            }

            MoveInto(unfinished, target);
        }
        finally
        {
            if (Directory.Exists(unfinished))
            {
                Directory.Delete(unfinished, recursive: true);
            }
        }
    }

    private static void MoveInto(string unfinished, string target)
    {
        try
        {
            Directory.Move(unfinished, target);
        }
        catch (IOException) when (Directory.Exists(target))
        {
            // Another process has made the same tokens in the meantime; they are equal.
        }
    }

    /// <summary>Encodes documents into a writer and counts.</summary>
    private sealed class Tokenisation(
        string path, IDocumentEncoder encoder, TokenFileWriter writer, IProgress<long>? progress)
    {
        private readonly List<int> _ids = [];
        private readonly List<bool> _replies = [];
        private readonly Dictionary<string, long> _sources = [], _licences = [];
        private long _textBytes, _characters, _empty;
        private bool _begun;

        public void Add(Document document)
        {
            _ids.Clear();
            _replies.Clear();
            try
            {
                Encode(document);
            }
            catch (Exception e) when (e is ArgumentException or InvalidDataException)
            {
                // The tokenizer knows what it can't say; where it stands is known here.
                throw new InvalidDataException($"{path}:{document.Line}: {e.Message}", e);
            }

            Write(document);
            if (!document.Continues)
            {
                EndDocument(document);
            }

            progress?.Report(_textBytes);
        }

        private void Encode(Document document)
        {
            if (document.IsChat)
            {
                encoder.EncodeChat(document.Turns, _ids, _replies);
                foreach (ChatTurn turn in document.Turns)
                {
                    Count(Encoding.UTF8.GetBytes(turn.Content));
                }
            }
            else
            {
                encoder.Encode(document.Text.Span, _ids);
                Count(document.Text.Span);
            }
        }

        private void Write(Document document)
        {
            if (_ids.Count > 0)
            {
                if (!_begun)
                {
                    writer.BeginDocument(document.IsChat);
                }

                _begun = true;
                writer.Append(CollectionsMarshal.AsSpan(_ids), CollectionsMarshal.AsSpan(_replies));
            }
        }

        public TokenFileFacts Facts(TokenFileFacts origin, BadLines badLines) => origin with
        {
            Documents = writer.Documents,
            Conversations = writer.Conversations,
            EmptyDocuments = _empty,
            Tokens = writer.Tokens,
            TextBytes = _textBytes,
            Characters = _characters,
            BadLines = badLines.Count,
            FirstBadLines = badLines.First,
            Sources = _sources,
            Licences = _licences,
        };

        private void EndDocument(Document document)
        {
            _empty += _begun ? 0 : 1;
            if (_begun && document.Source is { } source)
            {
                _sources[source] = _sources.GetValueOrDefault(source) + 1;
            }

            if (_begun && document.Licence is { } licence)
            {
                _licences[licence] = _licences.GetValueOrDefault(licence) + 1;
            }

            _begun = false;
        }

        private void Count(ReadOnlySpan<byte> utf8)
        {
            _textBytes += utf8.Length;
            foreach (byte value in utf8)
            {
                // Every byte but those that continue a character begins one.
                _characters += (value & 0xC0) == 0x80 ? 0 : 1;
            }
        }
    }
}
