using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tessera.Tensors.Files;

/// <summary>
/// Reads the safetensors files of a folder as one: <c>model.safetensors</c>, or the shards that
/// <c>model.safetensors.index.json</c> lists, or without either every safetensors file there is.
/// </summary>
public sealed class SafetensorsShards : IDisposable
{
    /// <summary>The name of the only file of a folder that is not sharded.</summary>
    public const string SingleName = "model.safetensors";

    /// <summary>The name of the file that says which shard holds which tensor.</summary>
    public const string IndexName = "model.safetensors.index.json";

    private const string Pattern = "*.safetensors";
    private const int MaximumIndexBytes = 32 << 20;
    private const int MaximumIndexDepth = 8;

    private readonly List<SafetensorsFile> _files = [];
    private readonly Dictionary<string, Tensor> _tensors = new(StringComparer.Ordinal);
    private readonly List<string> _names = [];

    private SafetensorsShards(string folder) => Folder = folder;

    /// <summary>Gets the folder.</summary>
    public string Folder { get; }

    /// <summary>Gets the names of the tensors, file by file.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>Gets the files.</summary>
    public IReadOnlyList<SafetensorsFile> Files => _files;

    /// <summary>Gets a tensor over the mapped memory: read-only, and usable until this is disposed.</summary>
    /// <exception cref="KeyNotFoundException">No file has a tensor of that name.</exception>
    public Tensor this[string name] => _tensors.TryGetValue(name, out Tensor? tensor)
        ? tensor
        : throw new KeyNotFoundException($"{Folder}: has no tensor {HostileText.Quote(name)} among its {_names.Count}");

    /// <summary>Opens the files of a folder and checks them and the index against each other.</summary>
    /// <exception cref="InvalidDataException">A file or the index is broken, or they contradict each other.</exception>
    /// <exception cref="FileNotFoundException">
    /// The folder has no safetensors file, or lacks one that its index names.
    /// </exception>
    /// <exception cref="UnauthorizedAccessException">A file may not be read.</exception>
    /// <exception cref="IOException">A file can't be read.</exception>
    public static SafetensorsShards Open(string folder)
    {
        SafetensorsShards shards = new(folder);
        try
        {
            string index = Path.Combine(folder, IndexName);
            if (File.Exists(Path.Combine(folder, SingleName)))
            {
                shards.Add(SingleName, null);
            }
            else if (File.Exists(index))
            {
                shards.AddIndexed(index);
            }
            else
            {
                shards.AddAll();
            }

            return shards;
        }
        catch
        {
            shards.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Writes tensors as transformers does: one file, or shards of at most so many bytes with their index.
    /// </summary>
    /// <param name="folder">
    /// The folder, which should be written under another name first (<see cref="AtomicFolder"/>).
    /// </param>
    /// <param name="tensors">The tensors in the model's own order, along which the shards are cut.</param>
    /// <param name="maximumShardBytes">
    /// The bytes after which a new shard begins; a larger tensor gets one of its own.
    /// </param>
    /// <param name="metadata">The files' own notes.</param>
    /// <exception cref="ArgumentException">Two tensors have one name, or a value can't become its type.</exception>
    /// <exception cref="IOException">The disk is full or fails.</exception>
    public static void Write(
        string folder,
        IReadOnlyList<StoredTensor> tensors,
        long maximumShardBytes,
        IReadOnlyDictionary<string, string>? metadata)
    {
        List<List<StoredTensor>> shards = Cut(tensors, maximumShardBytes);
        if (shards.Count <= 1)
        {
            SafetensorsWriter.Write(Path.Combine(folder, SingleName), tensors, metadata);
            return;
        }

        JsonObject map = [];
        for (int i = 0; i < shards.Count; i++)
        {
            foreach (StoredTensor tensor in shards[i])
            {
                if (!map.TryAdd(tensor.Name, Name(i)))
                {
                    throw new ArgumentException(
                        $"SafetensorsShards: {HostileText.Quote(tensor.Name)} is given twice");
                }
            }
        }

        for (int i = 0; i < shards.Count; i++)
        {
            SafetensorsWriter.Write(Path.Combine(folder, Name(i)), shards[i], metadata);
        }

        JsonObject totals = new()
        {
            ["total_parameters"] = tensors.Sum(tensor => tensor.Value.Shape.Count),
            ["total_size"] = tensors.Sum(tensor => tensor.Bytes),
        };
        JsonObject index = new() { ["metadata"] = totals, ["weight_map"] = map };
        AtomicFile.Write(Path.Combine(folder, IndexName), SortedJson.Write(index));

        string Name(int shard) => string.Create(
            CultureInfo.InvariantCulture, $"model-{shard + 1:00000}-of-{shards.Count:00000}.safetensors");
    }

    /// <summary>Returns whether there is a tensor of that name.</summary>
    public bool Contains(string name) => _tensors.ContainsKey(name);

    /// <summary>Gets a tensor over the mapped memory, where there is one of that name.</summary>
    public bool TryGet(string name, [NotNullWhen(true)] out Tensor? tensor) => _tensors.TryGetValue(name, out tensor);

    /// <summary>Ends the mappings: the tensors can't be used any more, and say so.</summary>
    public void Dispose()
    {
        foreach (SafetensorsFile file in _files)
        {
            file.Dispose();
        }
    }

    /// <summary>
    /// Cuts along the order given; a tensor larger than a shard is put into one of its own and cuts nothing.
    /// </summary>
    private static List<List<StoredTensor>> Cut(IReadOnlyList<StoredTensor> tensors, long maximumBytes)
    {
        List<List<StoredTensor>> shards = [];
        List<StoredTensor> current = [];
        long bytes = 0;
        foreach (StoredTensor tensor in tensors)
        {
            if (tensor.Bytes > maximumBytes)
            {
                shards.Add([tensor]);
                continue;
            }

            if (bytes + tensor.Bytes > maximumBytes)
            {
                shards.Add(current);
                (current, bytes) = ([], 0);
            }

            current.Add(tensor);
            bytes += tensor.Bytes;
        }

        if (current.Count > 0)
        {
            shards.Add(current);
        }

        return shards;
    }

    private void AddAll()
    {
        string[] files = Directory.GetFiles(Folder, Pattern);
        Array.Sort(files, StringComparer.Ordinal);
        foreach (string file in files)
        {
            Add(Path.GetFileName(file), null);
        }

        if (files.Length == 0)
        {
            throw new FileNotFoundException(
                $"{Folder}: has no {SingleName}, no {IndexName} and no other {Pattern} file");
        }
    }

    private void AddIndexed(string index)
    {
        Dictionary<string, string> map = ReadIndex(index);
        foreach (string shard in map.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            Add(shard, map);
        }

        foreach ((string name, string shard) in map)
        {
            if (!_tensors.ContainsKey(name))
            {
                throw new InvalidDataException(
                    $"{index}: weight_map puts {HostileText.Quote(name)} into {shard}, which hasn't got it");
            }
        }
    }

    private void Add(string file, Dictionary<string, string>? map)
    {
        SafetensorsFile opened = SafetensorsFile.Open(Path.Combine(Folder, file));
        _files.Add(opened);
        foreach (string name in opened.Names)
        {
            if (map is not null && (!map.TryGetValue(name, out string? where) || where != file))
            {
                throw new InvalidDataException(
                    $"{opened.Path}: has tensor {HostileText.Quote(name)}, which weight_map does not put there");
            }

            if (!_tensors.TryAdd(name, opened[name]))
            {
                throw new InvalidDataException(
                    $"{opened.Path}: tensor {HostileText.Quote(name)} is in another file of the folder too");
            }

            _names.Add(name);
        }
    }

    private static Dictionary<string, string> ReadIndex(string path)
    {
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        if (stream.Length > MaximumIndexBytes)
        {
            throw new InvalidDataException(
                $"{path}: has {stream.Length:N0} bytes; at most {MaximumIndexBytes:N0} are read of an index");
        }

        JsonDocumentOptions options = new() { MaxDepth = MaximumIndexDepth, AllowDuplicateProperties = false };
        try
        {
            using JsonDocument document = JsonDocument.Parse(stream, options);
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("weight_map", out JsonElement map)
                || map.ValueKind != JsonValueKind.Object)
            {
                throw new InvalidDataException($"{path}: weight_map is absent or no object");
            }

            return map.EnumerateObject()
                .ToDictionary(item => item.Name, item => ShardName(path, item), StringComparer.Ordinal);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // The second is how text that is not UTF-8 or half a surrogate pair shows itself.
            throw new InvalidDataException($"{path}: not valid JSON: {broken.Message}", broken);
        }
    }

    /// <summary>Requires a plain name, so that an index can't send us out of its folder.</summary>
    private static string ShardName(string path, JsonProperty item)
    {
        string? shard = item.Value.ValueKind == JsonValueKind.String ? item.Value.GetString() : null;
        bool plain = shard is { Length: > 0 and < 256 }
            && shard.EndsWith(".safetensors", StringComparison.Ordinal)
            && shard.AsSpan().IndexOfAny("/\\:\0") < 0;
        return plain ? shard! : throw new InvalidDataException(
            $"{path}: weight_map {HostileText.Quote(item.Name)} is "
            + $"{HostileText.Quote(shard ?? item.Value.ValueKind.ToString())}; "
            + "the name of a safetensors file in the same folder is wanted");
    }
}
