using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace Tessera.Tensors.Files;

/// <summary>
/// Reads a safetensors file: its tensors lie over the mapped file, so that opening costs neither time nor memory.
/// </summary>
public sealed unsafe class SafetensorsFile : IDisposable
{
    private const int LengthBytes = 8;

    private readonly MappedFile _file;
    private readonly Dictionary<string, Tensor> _tensors;

    private SafetensorsFile(MappedFile file, SafetensorsHeader header, long dataOffset)
    {
        _file = file;
        Metadata = header.Metadata;
        Names = header.Entries.ConvertAll(entry => entry.Name);
        _tensors = header.Entries.ToDictionary(
            entry => entry.Name,
            entry => Tensor.Over(file.Data + dataOffset + entry.Begin, entry.Shape, entry.Type, file),
            StringComparer.Ordinal);
    }

    /// <summary>Gets the path that the file was opened with.</summary>
    public string Path => _file.Path;

    /// <summary>Gets the names of the tensors, in the order of their places in the file.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Gets the file's own notes, such as <c>format</c> = <c>pt</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Gets a tensor over the mapped memory: read-only, and usable until this file is disposed.</summary>
    /// <exception cref="KeyNotFoundException">The file has no tensor of that name.</exception>
    public Tensor this[string name] => _tensors.TryGetValue(name, out Tensor? tensor)
        ? tensor
        : throw new KeyNotFoundException($"{Path}: has no tensor {HostileText.Quote(name)} among its {Names.Count}");

    /// <summary>Opens a file and checks its whole header against itself and against the file's length.</summary>
    /// <exception cref="InvalidDataException">
    /// The file is broken; the message names tensor, field and value.
    /// </exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read, or is a folder.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static SafetensorsFile Open(string path)
    {
        MappedFile file = MappedFile.Open(path);
        try
        {
            if (file.Length < LengthBytes)
            {
                throw new InvalidDataException(
                    $"{path}: {file.Length} bytes are no safetensors file, whose first 8 give its header's length");
            }

            ulong length = BinaryPrimitives.ReadUInt64LittleEndian(file.Bytes(0, LengthBytes));
            ulong most = (ulong)Math.Min(file.Length - LengthBytes, SafetensorsHeader.MaximumBytes);
            if (length > most)
            {
                throw new InvalidDataException(
                    $"{path}: header length {length}: at most {most} is possible in {file.Length} bytes");
            }

            long dataOffset = LengthBytes + (long)length;
            ReadOnlySpan<byte> json = file.Bytes(LengthBytes, (int)length);
            SafetensorsHeader header = SafetensorsHeader.Read(path, json, file.Length - dataOffset);
            return new SafetensorsFile(file, header, dataOffset);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Returns whether the file has a tensor of that name.</summary>
    public bool Contains(string name) => _tensors.ContainsKey(name);

    /// <summary>Gets a tensor over the mapped memory, where the file has one of that name.</summary>
    public bool TryGet(string name, [NotNullWhen(true)] out Tensor? tensor) => _tensors.TryGetValue(name, out tensor);

    /// <summary>Ends the mapping: the file's tensors can't be used any more, and say so.</summary>
    public void Dispose()
    {
        foreach (Tensor tensor in _tensors.Values)
        {
            tensor.Forget();
        }

        _file.Dispose();
    }
}
