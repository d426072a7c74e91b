using System.IO.MemoryMappedFiles;

namespace Tessera.Training.Data;

/// <summary>Maps a file into memory to read.</summary>
internal sealed unsafe class MappedBytes : IDisposable
{
    private readonly MemoryMappedFile? _file;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly byte* _data;

    public MappedBytes(string path)
    {
        Length = new FileInfo(path).Length;
        if (Length == 0)
        {
            // An empty file can't be mapped.
            return;
        }

        FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        _file = MemoryMappedFile.CreateFromFile(
            stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        _view = _file.CreateViewAccessor(0, Length, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _data);
    }

    public long Length { get; }

    /// <summary>Returns elements from a place on; the caller has checked that they are inside.</summary>
    public ReadOnlySpan<T> Slice<T>(long index, int count)
        where T : unmanaged
    {
        if (index < 0 || count < 0 || (index + count) * sizeof(T) > Length)
        {
            throw new ArgumentOutOfRangeException(
                nameof(index), index, $"mapped file: {count} elements end behind {Length} bytes");
        }

        return new ReadOnlySpan<T>(_data + (index * sizeof(T)), count);
    }

    public void Dispose()
    {
        _view?.SafeMemoryMappedViewHandle.ReleasePointer();
        _view?.Dispose();
        _file?.Dispose();
    }
}
