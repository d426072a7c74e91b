using System.Text;

namespace Tessera.Tensors.Files;

/// <summary>
/// Writes files whole or not at all: under another name in the same folder, onto the disk, then renamed.
/// </summary>
/// <remarks>
/// What a killed process leaves behind, <c>.NAME.tmp</c>, is overwritten by the next writer of that file.
/// </remarks>
public static class AtomicFile
{
    /// <summary>
    /// Writes a file by a callback; where it or the disk fails, a file that was there before stays as it is.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="write">Writes the content.</param>
    /// <param name="bytes">
    /// The size, where it is known: a disk without room for it is then found out before writing.
    /// </param>
    /// <exception cref="IOException">The disk is full or fails; the message says so and names the file.</exception>
    /// <exception cref="UnauthorizedAccessException">There is no permission to write in the folder.</exception>
    public static void Write(string path, Action<Stream> write, long bytes = 0)
    {
        string target = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(target)
            ?? throw new UnauthorizedAccessException($"{path}: could not be written: it is a folder");
        string temporary = Path.Combine(folder, $".{Path.GetFileName(target)}.tmp");
        try
        {
            FileStream stream = new(temporary, FileMode.Create, FileAccess.Write, FileShare.None);
            try
            {
                using (stream)
                {
                    FileFaults.RequireSpace(folder, bytes);
                    write(stream);
                    stream.Flush(flushToDisk: true);
                }

                File.Move(temporary, target, overwrite: true);
            }
            catch
            {
                File.Delete(temporary);
                throw;
            }

            Durable.SyncFolder(folder);
        }
        catch (Exception error) when (FileFaults.IsFault(error))
        {
            throw FileFaults.Explain(error, path);
        }
    }

    /// <summary>Writes bytes.</summary>
    /// <inheritdoc cref="Write(string, Action{Stream}, long)"/>
    public static void Write(string path, ReadOnlyMemory<byte> content) =>
        Write(path, stream => stream.Write(content.Span), content.Length);

    /// <summary>Writes text as UTF-8.</summary>
    /// <inheritdoc cref="Write(string, Action{Stream}, long)"/>
    public static void Write(string path, string text) => Write(path, Encoding.UTF8.GetBytes(text));
}
