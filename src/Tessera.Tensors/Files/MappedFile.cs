using System.IO.MemoryMappedFiles;

namespace Tessera.Tensors.Files;

/// <summary>
/// Maps a file read-only into memory, so that weights are used as they lie on disk and processes share them.
/// </summary>
/// <remarks>
/// The file must not be cut short while it is mapped: the system then ends the process that touches the lost part. What
/// Tessera writes is replaced by renaming (never written over), which leaves a mapping of the old file intact.
/// </remarks>
public sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedFile? _file;
    private readonly MemoryMappedViewAccessor? _view;
    private byte* _data;

    private MappedFile(string path, long length, MemoryMappedFile? file)
    {
        Path = path;
        Length = length;
        _file = file;
        if (file is null)
        {
            return;
        }

        try
        {
            _view = file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
            _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _data);
            _data += _view.PointerOffset;
        }
        catch
        {
            // A file that was cut short meanwhile, or an address space without room.
            _view?.Dispose();
            file.Dispose();
            throw;
        }
    }

    /// <summary>Gets the path that the file was opened with.</summary>
    public string Path { get; }

    /// <summary>Gets the length in bytes.</summary>
    public long Length { get; }

    /// <summary>Gets the address of the first byte.</summary>
    /// <exception cref="ObjectDisposedException">The file is no longer mapped.</exception>
    public byte* Data
    {
        get
        {
            ObjectDisposedException.ThrowIf(_data is null && Length > 0, this);
            return _data;
        }
    }

    /// <summary>Maps a file.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read, or is a folder.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static MappedFile Open(string path)
    {
        FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
        try
        {
            long length = stream.Length;
            if (length == 0)
            {
                // A mapping of nothing is an error to the system, but an empty file is the caller's to judge.
                stream.Dispose();
                return new MappedFile(path, 0, null);
            }

            return new MappedFile(path, length, MemoryMappedFile.CreateFromFile(
                stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false));
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Returns a part of the file's bytes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The part is not inside the file.</exception>
    public ReadOnlySpan<byte> Bytes(long offset, int length)
    {
        if (offset < 0 || length < 0 || offset > Length - length)
        {
            throw new ArgumentOutOfRangeException(
                nameof(offset), offset, $"{Path}: {length} bytes at {offset} are not inside its {Length} bytes");
        }

        return new ReadOnlySpan<byte>(Data + offset, length);
    }

    /// <summary>Ends the mapping; what lies over its memory must not be used any more.</summary>
    public void Dispose()
    {
        if (_data is not null)
        {
            _data = null;
            _view!.SafeMemoryMappedViewHandle.ReleasePointer();
        }

        _view?.Dispose();
        _file?.Dispose();
    }
}
