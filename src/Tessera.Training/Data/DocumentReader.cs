using System.Text;
using System.Text.Unicode;

namespace Tessera.Training.Data;

/// <summary>
/// Reads the documents of one file as a stream: <c>.txt</c> and <c>.md</c> are one document, <c>.jsonl</c> one a line.
/// </summary>
public static class DocumentReader
{
    /// <summary>The longest line of JSON that is read; a longer one is a bad line.</summary>
    public const int LineLimit = 32 << 20;

    private const int TextPart = 1 << 20;

    /// <summary>
    /// The size at which a text is cut even where the tokens at the cut may differ from those of the whole.
    /// </summary>
    private const int TextPartLimit = 8 << 20;

    /// <summary>
    /// Returns the documents of a file; the object is the same each time, and each is valid until the next.
    /// </summary>
    /// <exception cref="InvalidDataException">The file is broken, or there are more bad lines than the
    /// limit.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static IEnumerable<Document> Read(string path, DocumentSlice slice, BadLines badLines)
    {
        if (slice.Filter is not null && !IsJson(path))
        {
            throw new InvalidDataException(
                $"{path}: only asks for fields ({slice.Filter}), which lines of .jsonl have");
        }

        if (slice.IsAll)
        {
            return ReadAll(path, slice.Filter, badLines);
        }

        Extent whole = Measure(path, slice.Filter);
        return whole.Documents == 1 && !IsJson(path)
            ? CutText(path, slice, whole.TextBytes, badLines)
            : CutDocuments(path, slice, whole.Documents, badLines);
    }

    /// <summary>Returns whether the file's name is one that can be read.</summary>
    public static bool CanRead(string path)
    {
        string name = Unpacked(path);
        return name.EndsWith(".txt", StringComparison.OrdinalIgnoreCase)
            || name.EndsWith(".md", StringComparison.OrdinalIgnoreCase) || IsJson(path);
    }

    internal static Stream OpenFile(string path)
    {
        FileStream file =
            new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        Span<byte> first = stackalloc byte[2];
        int count = file.ReadAtLeast(first, 2, throwOnEndOfStream: false);
        file.Position = 0;
        bool packed = count == 2 && first[0] == 0x1F && first[1] == 0x8B;
        if (!packed && count > 0 && path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase))
        {
            file.Dispose();
            throw new InvalidDataException($"{path}: broken gzip: it begins with other bytes than a gzip file");
        }

        return packed ? new GzipReader(file, path) : file;
    }

    internal static bool IsJson(string path) => Unpacked(path).EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase);

    private static string Unpacked(string path) =>
        path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? path[..^3] : path;

    private static IEnumerable<Document> ReadAll(string path, DocumentFilter? filter, BadLines badLines) =>
        IsJson(path) ? ReadJsonLines(path, filter, badLines) : ReadText(path, badLines);

    private static Extent Measure(string path, DocumentFilter? filter)
    {
        // Bad lines are counted by the reading that follows, not here.
        BadLines ignored = new(long.MaxValue);
        long documents = 0, bytes = 0;
        foreach (Document document in ReadAll(path, filter, ignored))
        {
            documents += document.Continues ? 0 : 1;
            bytes += document.Text.Length;
        }

        return new Extent(documents, bytes);
    }

    private static IEnumerable<Document> CutDocuments(string path, DocumentSlice slice, long count, BadLines badLines)
    {
        long kept = (long)Math.Floor(count * (1 - slice.HeldOutShare)), index = 0;
        foreach (Document document in ReadAll(path, slice.Filter, badLines))
        {
            if (index++ >= kept == slice.IsHeldOut)
            {
                yield return document;
            }
        }
    }

    private static IEnumerable<Document> CutText(string path, DocumentSlice slice, long bytes, BadLines badLines)
    {
        long cut = (long)Math.Floor(bytes * (1 - slice.HeldOutShare)), position = 0;
        foreach (Document part in ReadAll(path, null, badLines))
        {
            ReadOnlyMemory<byte> text = part.Text;
            int here = CharacterAt(text.Span, (int)Math.Clamp(cut - position, 0, text.Length));
            position += text.Length;
            bool continues = part.Continues;
            part.Text = slice.IsHeldOut ? text[here..] : text[..here];
            part.Continues = continues && (slice.IsHeldOut || cut > position);
            if (part.Text.Length > 0)
            {
                yield return part;
            }

            if (!slice.IsHeldOut && position >= cut)
            {
                yield break;
            }
        }
    }

    /// <summary>Returns the first place at or after <paramref name="index"/> where a character begins.</summary>
    private static int CharacterAt(ReadOnlySpan<byte> text, int index)
    {
        while (index < text.Length && (text[index] & 0xC0) == 0x80)
        {
            index++;
        }

        return index;
    }

    private static IEnumerable<Document> ReadJsonLines(string path, DocumentFilter? filter, BadLines badLines)
    {
        using Stream stream = OpenFile(path);
        LineReader lines = new(stream, LineLimit);
        JsonLine parser = new(filter);
        Document document = new();
        bool skipping = false;
        while (true)
        {
            LineResult result = NextJsonLine(path, lines, parser, document, badLines, ref skipping);
            if (result == LineResult.End)
            {
                yield break;
            }

            if (result == LineResult.Document)
            {
                yield return document;
            }
        }
    }

    private static LineResult NextJsonLine(
        string path, LineReader lines, JsonLine parser, Document document, BadLines badLines, ref bool skipping)
    {
        if (!lines.Read(out ReadOnlySpan<byte> line))
        {
            return LineResult.End;
        }

        if (skipping || !lines.LineEnded)
        {
            if (!skipping)
            {
                badLines.Add(path, lines.Line, $"longer than {LineLimit >> 20} MiB");
            }

            skipping = !lines.LineEnded;
            return LineResult.Nothing;
        }

        if (lines.Line == 1)
        {
            RequireUtf8(path, line);
            line = line.StartsWith(Encoding.UTF8.Preamble) ? line[Encoding.UTF8.Preamble.Length..] : line;
        }

        line = line.Trim(" \t\r\n"u8);
        if (line.IsEmpty)
        {
            return LineResult.Nothing;
        }

        string? wrong = Utf8.IsValid(line) ? parser.Read(line, document) : "invalid UTF-8";
        document.Line = lines.Line;
        if (wrong is not null)
        {
            badLines.Add(path, lines.Line, wrong);
            return LineResult.Nothing;
        }

        return parser.IsTaken ? LineResult.Document : LineResult.Nothing;
    }

    private static IEnumerable<Document> ReadText(string path, BadLines badLines)
    {
        using Stream stream = OpenFile(path);
        LineReader lines = new(stream, TextPart);
        Document document = new();
        TextBuffer buffer = new();
        while (NextPiece(path, lines, buffer, badLines))
        {
            int cut = buffer.Length < TextPart ? 0 : SafeCut(buffer.Span);
            cut = cut == 0 && buffer.Length >= TextPartLimit ? CharacterAt(buffer.Span, buffer.Length / 2) : cut;
            if (cut > 0)
            {
                (document.Text, document.Continues, document.Line) = (buffer.Memory[..cut], true, buffer.FirstLine);
                yield return document;
                buffer.Drop(cut, lines.Line);
            }
        }

        if (buffer.Length > 0)
        {
            (document.Text, document.Continues, document.Line) = (buffer.Memory, false, buffer.FirstLine);
            yield return document;
        }
    }

    private static bool NextPiece(string path, LineReader lines, TextBuffer buffer, BadLines badLines)
    {
        if (!lines.Read(out ReadOnlySpan<byte> piece))
        {
            return false;
        }

        if (lines.Line == 1 && buffer.Length == 0)
        {
            RequireUtf8(path, piece);
            piece = piece.StartsWith(Encoding.UTF8.Preamble) ? piece[Encoding.UTF8.Preamble.Length..] : piece;
        }

        string? wrong = piece.Contains((byte)0) ? "holds a NUL" : Utf8.IsValid(piece) ? null : "invalid UTF-8";
        if (wrong is null)
        {
            buffer.Append(piece, lines.Line);
        }
        else
        {
            badLines.Add(path, lines.Line, wrong);
        }

        return true;
    }

    private static void RequireUtf8(string path, ReadOnlySpan<byte> line)
    {
        if (line.StartsWith(Encoding.Unicode.Preamble) || line.StartsWith(Encoding.BigEndianUnicode.Preamble))
        {
            throw new InvalidDataException($"{path}: the text is in UTF-16; wanted UTF-8");
        }
    }

    /// <summary>
    /// Returns the last place at which GPT-2's and cl100k's splitting end a piece whatever follows: between a letter
    /// and a space, or between a line feed and a visible character. 0 where there is none.
    /// </summary>
    private static int SafeCut(ReadOnlySpan<byte> text)
    {
        for (int i = text.Length - 1; i > 0; i--)
        {
            byte before = text[i - 1], after = text[i];
            if ((after == ' ' && char.IsAsciiLetter((char)before))
                || (before == '\n' && after is (> 0x20 and < 0x7F) or (>= 0xE4 and <= 0xED)))
            {
                return i;
            }
        }

        return 0;
    }

    private enum LineResult
    {
        End,
        Nothing,
        Document,
    }

    private readonly record struct Extent(long Documents, long TextBytes);
}
