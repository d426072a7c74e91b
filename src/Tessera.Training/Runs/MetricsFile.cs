using System.Text;
using System.Text.Json;

namespace Tessera.Training.Runs;

/// <summary>Appends events to metrics.jsonl, one line each, so that none stands in it twice.</summary>
public sealed class MetricsFile : IDisposable
{
    private readonly FileStream _file;

    /// <summary>Opens the file, which is made where it isn't there.</summary>
    /// <exception cref="IOException">The file can't be opened.</exception>
    public MetricsFile(string path)
    {
        // Unbuffered: a line that can't be written must not come back when the file is closed.
        _file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        _file.Seek(0, SeekOrigin.End);
    }

    /// <summary>Appends an event.</summary>
    /// <exception cref="IOException">The disk is full or fails; nothing that stood in the file is lost.</exception>
    public void Append(RunEvent what)
    {
        long before = _file.Length;
        try
        {
            _file.Write(Encoding.UTF8.GetBytes(what.ToJson() + "\n"));
        }
        catch (IOException e)
        {
            TryShorten(before);
            throw new IOException($"{_file.Name}: could not be written: {e.Message}; the lines before are intact", e);
        }
    }

    /// <summary>Puts the lines on the disk itself: before a checkpoint counts on them.</summary>
    public void Flush() => _file.Flush(flushToDisk: true);

    /// <summary>
    /// Takes away all lines that tell of later steps than <paramref name="step"/>, and a line that was cut off, and
    /// returns the events that stay.
    /// </summary>
    public IReadOnlyList<RunEvent> TruncateTo(long step)
    {
        List<RunEvent> kept = [];
        byte[] bytes = new byte[_file.Length];
        _file.Position = 0;
        _file.ReadExactly(bytes);
        int end = 0;
        while (end < bytes.Length)
        {
            int length = bytes.AsSpan(end).IndexOf((byte)'\n');
            RunEvent? what = length < 0 ? null : Parse(bytes.AsSpan(end, length));
            if (what is null || what.Step > step)
            {
                break;
            }

            kept.Add(what);
            end += length + 1;
        }

        _file.SetLength(end);
        _file.Seek(0, SeekOrigin.End);
        _file.Flush(flushToDisk: true);
        return kept;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static RunEvent? Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            return RunEvent.FromJson(line);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private void TryShorten(long length)
    {
        try
        {
            _file.SetLength(length);
        }
        catch (IOException)
        {
            // The half line that stays is taken away when the run goes on.
        }
    }
}
