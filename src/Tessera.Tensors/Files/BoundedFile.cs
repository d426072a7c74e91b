namespace Tessera.Tensors.Files;

/// <summary>Reads whole files from outside that may have at most so many bytes.</summary>
public static class BoundedFile
{
    /// <summary>
    /// Reads a whole file; of one that has no length (a device, a pipe) nothing is read, and of one that grows
    /// meanwhile what it had.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="most">How many bytes it may have.</param>
    /// <exception cref="InvalidDataException">It has more; the message names the file and both sizes.</exception>
    public static byte[] Read(string path, int most)
    {
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        long length = stream.CanSeek ? stream.Length : 0;
        if (length > most)
        {
            throw new InvalidDataException($"{path}: has {length:N0} bytes; at most {most:N0} are read of such a file");
        }

        byte[] bytes = new byte[length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
