using System.Security.Cryptography;
using System.Text.Json;
using Tessera.Tensors.Files;

namespace Tessera.Training.Runs;

/// <summary>
/// Names a checkpoint of a run: a folder with the model as any program reads it, and inside <c>training-state</c> what
/// only the run needs.
/// </summary>
public sealed class RunCheckpoint
{
    private const string StateFolder = "training-state";
    private const string StateName = "state.json";
    private const string TensorsName = "optimizer.safetensors";
    private const string SealName = "files.json";

    private static readonly JsonSerializerOptions _json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
        RespectNullableAnnotations = true,
        WriteIndented = true,
    };

    private RunCheckpoint(string folder, TrainingState state) => (Folder, State) = (folder, state);

    /// <summary>Gets the folder, which holds the model.</summary>
    public string Folder { get; }

    /// <summary>Gets the counters, positions and random states.</summary>
    public TrainingState State { get; }

    /// <summary>Opens the optimizer's tensors, mapped from the file.</summary>
    public SafetensorsFile OpenTensors() => SafetensorsFile.Open(Path.Combine(Folder, StateFolder, TensorsName));

    /// <summary>Writes a checkpoint whole or not at all.</summary>
    internal static RunCheckpoint Write(string folder, CheckpointContent content)
    {
        AtomicFolder.Write(folder, temporary =>
        {
            content.WriteModel(temporary);
            string inner = Directory.CreateDirectory(Path.Combine(temporary, StateFolder)).FullName;
            SafetensorsWriter.Write(Path.Combine(inner, TensorsName), content.Tensors);
            File.WriteAllBytes(
                Path.Combine(inner, StateName), JsonSerializer.SerializeToUtf8Bytes(content.State, _json));

            // Last, so that what is not whole has no seal or a wrong one.
            File.WriteAllBytes(
                Path.Combine(inner, SealName), JsonSerializer.SerializeToUtf8Bytes(Seal(temporary), _json));
        });
        return new RunCheckpoint(folder, content.State);
    }

    /// <summary>Opens a checkpoint after checking that each file is as it was written.</summary>
    /// <exception cref="InvalidDataException">A file is missing or changed.</exception>
    internal static RunCheckpoint Open(string folder)
    {
        Dictionary<string, FileSeal> expected = Read<Dictionary<string, FileSeal>>(folder, SealName);
        Dictionary<string, FileSeal> actual = Seal(folder);
        foreach ((string name, FileSeal seal) in expected)
        {
            if (!actual.TryGetValue(name, out FileSeal? found) || found != seal)
            {
                throw new InvalidDataException(
                    $"{folder}: {name} is {(found is null ? "missing" : "not as it was written")}");
            }
        }

        TrainingState state = Read<TrainingState>(folder, StateName);
        return state.Version == TrainingState.CurrentVersion
            ? new RunCheckpoint(folder, state)
            : throw new InvalidDataException(
                $"{folder}: version {state.Version} of the training state; wanted {TrainingState.CurrentVersion}");
    }

    /// <summary>Returns what a checkpoint says of its held-out loss; null where it says nothing or is broken.</summary>
    internal static double? HeldOutLossOf(string folder)
    {
        try
        {
            return Read<TrainingState>(folder, StateName).HeldOutLoss;
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            return null;
        }
    }

    private static T Read<T>(string folder, string name)
    {
        string path = Path.Combine(folder, StateFolder, name);
        try
        {
            return JsonSerializer.Deserialize<T>(File.ReadAllBytes(path), _json)
                ?? throw new InvalidDataException($"{path}: empty");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InvalidDataException($"{path}: missing", e);
        }
    }

    private static Dictionary<string, FileSeal> Seal(string folder)
    {
        Dictionary<string, FileSeal> seals = [];
        foreach (string file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            string name = Path.GetRelativePath(folder, file).Replace('\\', '/');
            if (name != $"{StateFolder}/{SealName}")
            {
                using FileStream stream = File.OpenRead(file);
                seals.Add(name, new FileSeal(stream.Length, Convert.ToHexStringLower(SHA256.HashData(stream))));
            }
        }

        return seals;
    }

    private sealed record FileSeal(long Bytes, string Sha256);
}
